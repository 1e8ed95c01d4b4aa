import { defineScript } from '@tierkit/redis';

/** Sets limits of a subject, given as pairs of field and value; the value '' removes one. */
export const storeLimits = defineScript({
  name: 'quota-store-limits',
  keys: ['kept'],
  args: { changes: 'strings' },
  reply: (): void => undefined,
  lua: `
-- A key of another type holds nothing of ours.
local kind = redis.call('TYPE', kept).ok
if kind ~= 'none' and kind ~= 'hash' then redis.call('DEL', kept) end
for i = 1, #changes, 2 do
  if changes[i + 1] == '' then
    redis.call('HDEL', kept, changes[i])
  else
    redis.call('HSET', kept, changes[i], changes[i + 1])
  end
end
return 1
`,
});
