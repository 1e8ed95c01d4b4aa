/**
 * Lua: the local `holder`, the lease's value if this token holds it under the generation that still is the scope's,
 * else nil. The value is the generation, the token, and '+' once somebody waits.
 */
export const heldLease = `
local holder = redis.call('GET', lease)
if holder and holder ~= grantedGeneration .. token and holder ~= grantedGeneration .. token .. '+' then holder = nil end
if holder and generation[1] and redis.call('GET', generation[1]) ~= grantedGeneration then holder = nil end
`;

/** Lua: tells those who wait for the lease `holder` that it ended. */
export const wakeWaiters = `
if string.sub(holder, -1) == '+' then redis.call('PUBLISH', channel, message) end
`;

/**
 * Lua: the function `noteOf(holder)`. In the place of a lease that was given back without a value there may be a note
 * for a while, which says why: the generation, '!', and a text. Tokens never begin with '!'.
 */
export const noteOf = `
local function noteOf(holder)
  if string.sub(holder, 9, 9) ~= '!' then return nil end
  return string.sub(holder, 10, 1033)
end
`;
