import { defineScript } from '@tierkit/redis';
import { parseRecord } from '../pending-record.ts';
import type { Claimed, ClaimedWrite } from '../pending-store.ts';
import { serverMicros } from './server-micros.ts';

/**
 * Takes what is due, the oldest first: each name is put off to the end of the lease, which is also what the lease is known
 * by. It counts the claims that nobody gives back or settles, since a write may be what ends its worker. Bytes that are no
 * record are removed.
 */
export const claimWrites = defineScript({
  name: 'cache-claim-writes',
  keys: ['pending', 'due', 'tries'],
  args: { count: 'integer', bytes: 'integer', leaseMs: 'integer' },
  replyAs: 'buffer',
  reply: (raw): Claimed => {
    const [lease, ...parts] = raw as [Buffer, ...(Buffer | number)[]];
    const writes: ClaimedWrite[] = [];
    for (let at = 0; at + 3 < parts.length; at += 4) {
      const record = parseRecord(String(parts[at]), parts[at + 1] as Buffer);
      if (record === undefined) continue;
      const [version, failures] = String(parts[at + 2])
        .split(':')
        .map(Number);
      const counted = version === record.version ? (failures ?? 0) : 0;
      writes.push({ ...record, failures: counted, claims: Number(parts[at + 3]) });
    }
    return { lease: Number(lease), writes };
  },
  lua: `
${serverMicros}
local function isRecord(bytes)
  if not bytes or #bytes < 19 or #bytes < 19 + string.byte(bytes, 19) then return false end
  local version, enqueuedAtMs = struct.unpack('>dd', bytes)
  return version >= 0 and version < 2^53 and version % 1 == 0 and math.abs(enqueuedAtMs) < math.huge
end
local lease = nowUs + leaseMs * 1000
local reply = { whole(lease) }
local taken = 0
for _, name in ipairs(redis.call('ZRANGEBYSCORE', due, '-inf', whole(nowUs), 'LIMIT', 0, count)) do
  local record = redis.call('HGET', pending, name)
  if not isRecord(record) then
    redis.call('ZREM', due, name)
    redis.call('HDEL', pending, name)
    redis.call('HDEL', tries, 'f:' .. name, 'c:' .. name)
  else
    taken = taken + #record
    if taken > bytes and #reply > 1 then break end
    redis.call('ZADD', due, whole(lease), name)
    local at = #reply
    reply[at + 1] = name
    reply[at + 2] = record
    reply[at + 3] = redis.call('HGET', tries, 'f:' .. name) or ''
    reply[at + 4] = redis.call('HINCRBY', tries, 'c:' .. name, 1)
  end
end
return reply
`,
});
