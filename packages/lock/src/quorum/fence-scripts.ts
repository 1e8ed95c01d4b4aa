import { defineScript } from '@tierkit/redis';
import { isToken, KEEP_MS } from '../scripts/lock-lua.ts';

/** What was not written by a lock counts for nothing: most of the other nodes know the last token. */
const KNOWN_LUA = `
local known = redis.call('GET', fence)
known = known and ${isToken('known')} and tonumber(known) or 0
`;

/** The least token that this node could give out. */
export const nextFenceScript = defineScript({
  name: 'next-fence',
  keys: ['fence'],
  args: {},
  reply: (raw) => BigInt(String(raw)),
  lua: `
${KNOWN_LUA}
local time = redis.call('TIME')
local micros = tonumber(time[1]) * 1000000 + tonumber(time[2])
return string.format('%.0f', math.max(micros, known + 1))
`,
});

/** Makes a token known to the node, unless it knows a greater one. */
export const raiseFenceScript = defineScript({
  name: 'raise-fence',
  keys: ['fence'],
  args: { token: 'string' },
  reply: () => true,
  lua: `
${KNOWN_LUA}redis.call('SET', fence, string.format('%.0f', math.max(known, tonumber(token))), 'PX', ${KEEP_MS})
`,
});
