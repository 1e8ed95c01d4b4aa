import { defineScript } from '@tierkit/redis';

/** Who was heard of when, by the server's clock, and what they said of themselves. Both keys are in one slot. */
const keys = ['seen', 'facts'] as const;

const now = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`;

/** Notes a sign of life of an instance, and forgets those of which none came for `lastsMs`. */
export const beat = defineScript({
  name: 'tierkit-beat',
  keys,
  args: { id: 'string', said: 'string', lastsMs: 'integer' },
  reply: () => undefined,
  lua: `${now}
redis.call('ZADD', seen, string.format('%.0f', now), id)
redis.call('HSET', facts, id, said)
local gone = redis.call('ZRANGEBYSCORE', seen, '-inf', string.format('%.0f', now - lastsMs), 'LIMIT', 0, 100)
if #gone > 0 then
  redis.call('ZREM', seen, unpack(gone))
  redis.call('HDEL', facts, unpack(gone))
end
redis.call('PEXPIRE', seen, lastsMs)
redis.call('PEXPIRE', facts, lastsMs)
`,
});

/** An instance ends. */
export const leave = defineScript({
  name: 'tierkit-leave',
  keys,
  args: { id: 'string' },
  reply: () => undefined,
  lua: `
redis.call('ZREM', seen, id)
redis.call('HDEL', facts, id)
`,
});

/** Each instance's id, what it said, and how long ago in milliseconds; the latest 1,000 at the most. */
export const present = defineScript({
  name: 'tierkit-present',
  keys,
  args: { lastsMs: 'integer' },
  reply: (raw) => raw,
  lua: `${now}
local alive = redis.call('ZREVRANGEBYSCORE', seen, '+inf', string.format('%.0f', now - lastsMs), 'WITHSCORES', 'LIMIT', 0, 1000)
local found = {}
for i = 1, #alive, 2 do
  local said = redis.call('HGET', facts, alive[i])
  -- Far more than an instance says.
  if said and #said <= 4000 then found[#found + 1] = { alive[i], said, string.format('%.0f', now - alive[i + 1]) } end
end
return found
`,
});
