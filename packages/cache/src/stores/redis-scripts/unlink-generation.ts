import { defineScript } from '@tierkit/redis';

/** Removes an entry only while it belongs to an ended generation. @returns whether it did */
export const unlinkGeneration = defineScript({
  name: 'cache-unlink-generation',
  keys: ['entry'],
  /** 8 bytes each, one after the other. */
  args: { endedGenerations: 'bytes' },
  reply: (raw): boolean => raw === 1,
  lua: `
local header = redis.pcall('GETRANGE', entry, 0, 26)
if type(header) ~= 'string' or #header < 27 or string.byte(header, 1) ~= 0xC1 then return 0 end
local generation = string.sub(header, 20, 27)
for at = 1, #endedGenerations, 8 do
  if string.sub(endedGenerations, at, at + 7) == generation then
    redis.call('UNLINK', entry)
    return 1
  end
end
return 0
`,
});
