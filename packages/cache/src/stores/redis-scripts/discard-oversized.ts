import { defineScript } from '@tierkit/redis';

/** Removes what is larger than any entry can be. @returns whether it was */
export const discardOversized = defineScript({
  name: 'cache-discard-oversized',
  keys: ['entry'],
  args: { maxBytes: 'integer' },
  reply: (raw): boolean => raw === 1,
  lua: `
local bytes = redis.pcall('STRLEN', entry)
if type(bytes) ~= 'number' or bytes <= maxBytes then return 0 end
redis.call('UNLINK', entry)
return 1
`,
});
