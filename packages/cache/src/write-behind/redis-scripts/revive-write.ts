import { defineScript } from '@tierkit/redis';
import type { Revived } from '../pending-store.ts';
import { serverMicros } from './server-micros.ts';

/** Keeps a write again that was given up, unless something of its name is pending: that is newer. */
export const reviveWrite = defineScript({
  name: 'cache-revive-write',
  keys: ['pending', 'due'],
  args: { queue: 'string', registration: 'integer', writtenAs: 'string', record: 'bytes' },
  reply: (raw): Revived => (raw === 1 ? 'revived' : raw === 0 ? 'superseded' : 'closed'),
  lua: `
${serverMicros}
local openField = ' open:' .. queue
local open = tonumber(redis.call('HGET', pending, openField) or '0')
if open <= 0 then
  if registration <= -open then return -1 end
  redis.call('HSET', pending, openField, whole(registration))
  redis.call('PERSIST', pending)
end
if redis.call('HSETNX', pending, writtenAs, record) == 0 then return 0 end
redis.call('ZADD', due, whole(nowUs), writtenAs)
return 1
`,
});
