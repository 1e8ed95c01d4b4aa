import { defineScript } from '@tierkit/redis';
import { corruptError } from '../../errors.ts';

/** The given metrics of each window. */
export const readWindows = defineScript({
  name: 'quota-read-windows',
  keys: ['...windows'],
  args: { metrics: 'strings' },
  reply: (raw): number[][] => (raw as (string | null)[][]).map((values) => values.map(countOf)),
  lua: `
local out = {}
for i, window in ipairs(windows) do out[i] = redis.call('HMGET', window, unpack(metrics)) end
return out
`,
});

function countOf(text: string | null): number {
  if (text === null) return 0;
  const count = Number(text);
  if (String(count) === text && Number.isSafeInteger(count) && count >= 0) return count;
  throw corruptError('of a period in the range');
}
