import { defineScript } from '@tierkit/redis';

/** The given metrics of each window. */
export const readWindows = defineScript({
  name: 'quota-read-windows',
  keys: ['...windows'],
  args: { metrics: 'strings' },
  reply: (raw): number[][] => (raw as (string | null)[][]).map((values) => values.map(Number)),
  lua: `
local out = {}
for i, window in ipairs(windows) do out[i] = redis.call('HMGET', window, unpack(metrics)) end
return out
`,
});
