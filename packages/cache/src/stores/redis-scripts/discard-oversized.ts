import { defineScript } from '@tierkit/redis';

/** Removes what is larger than any entry can be. @returns which of the keys, counted from 0 */
export const discardOversized = defineScript({
  name: 'cache-discard-oversized',
  keys: ['...entries'],
  args: { maxBytes: 'integer' },
  reply: (raw): readonly number[] => raw as number[],
  lua: `
local removed = {}
for index, entry in ipairs(entries) do
  local bytes = redis.pcall('STRLEN', entry)
  if type(bytes) == 'number' and bytes > maxBytes then
    redis.call('UNLINK', entry)
    removed[#removed + 1] = index - 1
  end
end
return removed
`,
});
