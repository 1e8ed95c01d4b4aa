/**
 * Lua function that reads a count and how long it lasts, both 0 if there is none.
 *
 * What is no count is removed: left there, it would make every later step fail, and the subject would go unguarded. What lasts
 * longer than anything that a guard writes there is cut to that, so that nobody is blocked for good.
 */
export const foundCount = `
local function found(key, longest)
  local value = redis.pcall('GET', key)
  if not value then return 0, 0 end
  if type(value) ~= 'string' or not string.match(value, '^%d%d?%d?%d?%d?%d?%d?%d?%d?$') then
    redis.call('DEL', key)
    return 0, 0
  end
  local left = redis.call('PTTL', key)
  if left < 0 or left > longest * 1000 then
    left = longest * 1000
    redis.call('PEXPIRE', key, string.format('%.0f', left))
  end
  return tonumber(value), math.max(left, 1)
end
`;
