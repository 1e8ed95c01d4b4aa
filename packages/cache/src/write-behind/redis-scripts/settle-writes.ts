import { defineScript } from '@tierkit/redis';
import { versionOf } from '../pending-record.ts';
import { serverMicros } from './server-micros.ts';

/** Removes what is in the source. What was written anew meanwhile stays, and is due at once if the lease still holds. */
export const settleWrites = defineScript({
  name: 'cache-settle-writes',
  keys: ['pending', 'due', 'tries'],
  /** Of each write its name and its version. */
  args: { lease: 'integer', settled: 'strings' },
  reply: (): void => undefined,
  lua: `
${serverMicros}
${versionOf}
for i = 1, #settled, 2 do
  local name = settled[i]
  local record = redis.call('HGET', pending, name)
  if record and versionOf(record) == tonumber(settled[i + 1]) then
    redis.call('HDEL', pending, name)
    redis.call('ZREM', due, name)
    redis.call('HDEL', tries, 'f:' .. name, 'c:' .. name)
  elseif tonumber(redis.call('ZSCORE', due, name) or '0') == lease then
    redis.call('ZADD', due, whole(nowUs), name)
    redis.call('HDEL', tries, 'f:' .. name, 'c:' .. name)
  end
end
return 1
`,
});
