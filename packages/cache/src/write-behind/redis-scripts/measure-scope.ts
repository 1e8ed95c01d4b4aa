import { defineScript } from '@tierkit/redis';
import type { Measured } from '../pending-store.ts';
import { serverMicros } from './server-micros.ts';

/**
 * How much a queue has of a scope, and since when. What was never claimed is due since it was written; of what is put off,
 * up to a thousand records are looked at.
 */
export const measureScope = defineScript({
  name: 'cache-measure-scope',
  keys: ['pending', 'due'],
  args: {},
  reply: (raw): Measured => {
    const [backlog, due, oldestAgeMs] = raw as [number, number, string];
    return { backlog, due, oldestAgeMs: Number(oldestAgeMs) };
  },
  lua: `
${serverMicros}
local oldestUs = nowUs
local first = redis.call('ZRANGE', due, 0, 0, 'WITHSCORES')
if first[2] then oldestUs = math.min(oldestUs, tonumber(first[2])) end
for _, name in ipairs(redis.call('ZRANGEBYSCORE', due, '(' .. whole(nowUs), '+inf', 'LIMIT', 0, 1000)) do
  local record = redis.call('HGET', pending, name)
  if record and #record >= 16 then
    local _, enqueuedAtMs = struct.unpack('>dd', record)
    oldestUs = math.min(oldestUs, enqueuedAtMs * 1000)
  end
end
local count = redis.call('ZCOUNT', due, '-inf', whole(nowUs))
return { redis.call('ZCARD', due), count, whole((nowUs - oldestUs) / 1000) }
`,
});
