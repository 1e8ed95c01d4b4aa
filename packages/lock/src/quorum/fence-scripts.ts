import { defineScript } from '@tierkit/redis';
import { KEEP_MS } from '../scripts/lock-lua.ts';

/** The least token that this node could give out. */
export const nextFenceScript = defineScript({
  name: 'next-fence',
  keys: ['fence'],
  args: {},
  reply: (raw) => BigInt(String(raw)),
  lua: `
local time = redis.call('TIME')
local micros = tonumber(time[1]) * 1000000 + tonumber(time[2])
return string.format('%.0f', math.max(micros, tonumber(redis.call('GET', fence) or '0') + 1))
`,
});

/** Makes a token known to the node, unless it knows a greater one. */
export const raiseFenceScript = defineScript({
  name: 'raise-fence',
  keys: ['fence'],
  args: { token: 'string' },
  reply: () => true,
  lua: `
local known = tonumber(redis.call('GET', fence) or '0')
redis.call('SET', fence, string.format('%.0f', math.max(known, tonumber(token))), 'PX', ${KEEP_MS})
`,
});
