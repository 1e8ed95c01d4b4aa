/**
 * Lua: sets the local `current` to the scope's generation, 8 bytes.
 *
 * A scope with a slot of its own passes its generation key, and a generation that was lost restarts at a fresh random
 * value, so that entries of an older one can never come back. It outlives every entry that is written under it. The
 * root spans all slots and passes the generation that the caller knows.
 */
export const currentGeneration = `
local current = knownGeneration
if generation[1] then
  current = redis.call('GET', generation[1])
  if not current or #current ~= 8 then
    current = freshGeneration
    redis.call('SET', generation[1], current, 'PX', ttlMs * 2)
  elseif redis.call('PTTL', generation[1]) < ttlMs then
    redis.call('PEXPIRE', generation[1], ttlMs * 2)
  end
end
`;

/** Lua: sets the local `nowMs` to the server's time, milliseconds since 1970. */
export const serverTime = `
local time = redis.call('TIME')
local nowMs = time[1] * 1000 + math.floor(time[2] / 1000)
`;

/**
 * Lua: the function `headerOf(ttlMs, freshMs, flags, meta)`, the bytes of an envelope before its payload. The entry is
 * fresh for `freshMs` of the `ttlMs` that it lives from `nowMs` on.
 */
export const headerAtNow = `
local function headerOf(ttlMs, freshMs, flags, meta)
  local start = struct.pack('>BBBdd', 0xC1, 1, flags, nowMs + ttlMs, nowMs + freshMs)
  return start .. current .. struct.pack('>H', #meta) .. meta
end
`;

/** Lua: the same from the server's time on. */
export const envelopeHeader = `
${serverTime}
${headerAtNow}
`;

/** Lua: the function \`generationOf(bytes)\`, nil for what is no envelope of a known version with known flags. */
export const generationOf = `
local function generationOf(bytes)
  if not bytes or #bytes < 29 or string.sub(bytes, 1, 2) ~= '\\193\\1' or string.byte(bytes, 3) > 3 then return nil end
  return string.sub(bytes, 20, 27)
end
`;
