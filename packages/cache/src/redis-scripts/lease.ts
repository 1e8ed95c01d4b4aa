/**
 * Lua: the local `holder`, the lease's value if this token holds it under the generation that still is the scope's,
 * else nil. The value is the generation, the token, and '+' once somebody waits.
 */
export const heldLease = `
local holder = redis.call('GET', lease)
if holder and holder ~= grantedGeneration .. token and holder ~= grantedGeneration .. token .. '+' then holder = nil end
if holder and generation[1] and redis.call('GET', generation[1]) ~= grantedGeneration then holder = nil end
`;

/** Lua: ends the lease and tells those who wait for it. */
export const endLease = `
redis.call('DEL', lease)
if string.sub(holder, -1) == '+' then redis.call('PUBLISH', channel, message) end
`;
