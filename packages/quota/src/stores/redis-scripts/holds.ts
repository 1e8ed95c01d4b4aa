/**
 * Lua functions on the keys `holds` and `expiries` of a subject.
 *
 * `holds` is a hash: `hold:ID` lists what a hold takes as `metric:period:start:end=amount`, `sum:metric:period:start` adds
 * that up over all holds, `next` is when the first of them expires. `expiries` is a sorted set of the ids by that time.
 */
export const holdFunctions = `
local function dropHold(hold)
  for field, amount in string.gmatch(redis.call('HGET', holds, 'hold:' .. hold) or '', '(%S+):%d+=(%d+)') do
    local left = amount ~= '0' and #amount <= 16 and redis.pcall('HINCRBY', holds, 'sum:' .. field, '-' .. amount)
    -- What is no sum of ours cannot be counted down, and must not keep the others from it.
    if left and (type(left) ~= 'number' or left <= 0) then redis.call('HDEL', holds, 'sum:' .. field) end
  end
  redis.call('HDEL', holds, 'hold:' .. hold)
  redis.call('ZREM', expiries, hold)
end
local function noteNext()
  local first = redis.call('ZRANGE', expiries, 0, 0, 'WITHSCORES')
  if first[1] then redis.call('HSET', holds, 'next', first[2]) else redis.call('HDEL', holds, 'next') end
end
-- Bounded; the next call drops what is left.
local function dropExpired()
  for _, hold in ipairs(redis.call('ZRANGEBYSCORE', expiries, '-inf', text(now), 'LIMIT', 0, 500)) do dropHold(hold) end
  noteNext()
end
local function addHold(hold, expires, metrics, rows)
  local takes = {}
  for _, metric in ipairs(metrics) do
    for _, row in ipairs(metric.rows) do
      takes[#takes + 1] = row.field .. ':' .. row.stop .. '=' .. text(metric.granted)
      if metric.granted > 0 then redis.call('HINCRBY', holds, 'sum:' .. row.field, text(metric.granted)) end
      row.held = row.held + metric.granted
    end
  end
  redis.call('HSET', holds, 'hold:' .. hold, table.concat(takes, ' '))
  redis.call('ZADD', expiries, text(expires), hold)
  noteNext()
  -- Long enough for the last hold to be dropped rather than lost.
  local lasts = expires - now + 3600000
  if redis.call('PTTL', holds) < lasts then
    redis.call('PEXPIRE', holds, text(lasts))
    redis.call('PEXPIRE', expiries, text(lasts))
  end
end
`;
