/** Lua: sets the local `nowUs` to the server's time, microseconds since 1970, and declares `whole(number)`, its digits. */
export const serverMicros = `
local time = redis.call('TIME')
local nowUs = time[1] * 1000000 + time[2]
local function whole(number) return string.format('%.0f', number) end
`;
