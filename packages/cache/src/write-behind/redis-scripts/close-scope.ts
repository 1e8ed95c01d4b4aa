import { defineScript } from '@tierkit/redis';

/**
 * Ends the use of a scope by a queue that has nothing there: a write needs a later registration than this one from then on.
 * What is left of a scope that no queue uses goes after a while, in which its versions still count on.
 *
 * @returns whether it did
 */
export const closeScope = defineScript({
  name: 'cache-close-scope',
  keys: ['pending', 'due', 'tries'],
  args: { queue: 'string', registration: 'integer', keptMs: 'integer' },
  reply: (raw): boolean => raw === 1,
  lua: `
if redis.call('ZCARD', due) > 0 then return 0 end
local openField = ' open:' .. queue
local open = tonumber(redis.call('HGET', pending, openField) or '0')
if open > registration then return 0 end
redis.call('HSET', pending, openField, string.format('%.0f', -registration))
redis.call('DEL', tries)
if redis.call('HLEN', pending) > 100 then return 1 end
local fields = redis.call('HGETALL', pending)
for i = 1, #fields, 2 do
  local field = fields[i]
  if string.sub(field, 1, 1) ~= ' ' then return 1 end
  if string.sub(field, 1, 6) == ' open:' and tonumber(fields[i + 1]) > 0 then return 1 end
end
redis.call('PEXPIRE', pending, keptMs)
return 1
`,
});
