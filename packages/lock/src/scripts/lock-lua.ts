import { MAX_TTL_MS } from '../options.ts';
import { GRANT_MS } from '../stores/lock-store.ts';

/**
 * How long the last token outlives the hold. What it is for are clocks that are put back, which is rarely by more; each name
 * that was ever locked costs memory for so long.
 */
export const KEEP_MS = 3_600_000;
/** As the script has it: above the longest time to live by as much, and a constant, as writing a number as text takes time. */
export const KEEP_HELD_MS = MAX_TTL_MS + KEEP_MS;
/** Waiters ask again at least this often, so a queue that nobody has touched for longer has nobody in it. */
export const LONGEST_RETRY_MS = 60_000;

/** Lua: whether a text is a token, which is a number that Lua counts on exactly. */
export const isToken = (text: string): string =>
  `(string.find(${text}, '^%d+$') and (#${text} < 16 or #${text} == 16 and ${text} < '9'))`;

/**
 * What the scripts know of a lock, in three keys:
 *
 * - `state`, a text of up to five words: the last token; the owner who holds the lock exclusively, or `-`; since when, in
 *   microseconds, and for how many milliseconds; and marks, `g` until the owner has confirmed, `q` while one of the other keys
 *   exists. Only the token stands there while nobody has the lock and nobody wants it, and no marks while it is held and
 *   nobody waits: then this key is all there is to read.
 * - `holders`, a sorted set: owner and token, or `g`, of those who share the lock, by the time at which that ends;
 * - `queue`, a sorted set of those who wait, by the time at which they came: owner, shape, and the command and channel that
 *   wake them.
 */
export const LOCK_LUA = `
local micros, now, last, holder, expires, granted, grants = 0, 0, 0, nil, 0, false, 0

local function text(number) return string.format('%.0f', number) end

local function remove_places(owner)
  local process = string.match(owner, '^[^.]*') .. '.'
  for _, waiter in ipairs(redis.call('ZRANGE', queue, 0, -1)) do
    if string.sub(waiter, 1, #process) == process then redis.call('ZREM', queue, waiter) end
  end
end

-- What has run out ends; a turn that was not confirmed costs the process its other places.
local function expire()
  if holder and expires <= now then
    if granted then remove_places(holder) end
    holder, granted = nil, false
  end
  for _, member in ipairs(redis.call('ZRANGEBYSCORE', holders, '-inf', text(now))) do
    redis.call('ZREM', holders, member)
    if string.sub(member, -2) == ' g' then remove_places(member) end
  end
end

-- Returns an error for what no lock has written: it tells neither who has the lock nor which tokens were given out.
local function load()
  local time = redis.call('TIME')
  micros = tonumber(time[1]) * 1000000 + tonumber(time[2])
  now = math.floor(micros / 1000)
  local value = redis.pcall('GET', state)
  if not value then return end
  local token, rest = string.match(type(value) == 'string' and value or '', '^(%d+)(.*)$')
  local owner, since, ms, marks = string.match(rest or '', '^ (%S+) (%d+) (%d+) ?(g?q?)$')
  local known = rest == '' or (owner and #since <= 16 and #ms <= 9)
  if not (token and ${isToken('token')} and known) then
    return redis.error_reply('FOREIGN what stands under the name is no lock; forceRelease removes it')
  end
  last = tonumber(token)
  if owner and owner ~= '-' then
    holder, granted = owner, string.find(marks, 'g', 1, true) ~= nil
    expires = math.floor(tonumber(since) / 1000) + tonumber(ms)
  end
end

local function save()
  local ends = holder and expires or now
  local latest = redis.call('ZRANGE', holders, -1, -1, 'WITHSCORES')[2]
  if latest then
    latest = math.min(tonumber(latest), now + ${MAX_TTL_MS})
    redis.call('PEXPIREAT', holders, text(latest + 1000))
    ends = math.max(ends, latest)
  end
  local marks = (granted and 'g' or '') .. (redis.call('EXISTS', holders, queue) > 0 and 'q' or '')
  local value = text(last)
  if holder then
    value = value .. ' ' .. holder .. ' ' .. text(micros) .. ' ' .. text(expires - now)
  elseif marks ~= '' then
    value = value .. ' - 0 0'
  end
  if marks ~= '' then value = value .. ' ' .. marks end
  redis.call('SET', state, value, 'PX', text(${KEEP_MS} + math.max(0, ends - now)))
end

local function fits(shape)
  if holder then return false end
  local count = redis.call('ZCARD', holders)
  if shape == 'x' then return count == 0 end
  local limit = tonumber(shape)
  return limit == 0 or count < limit
end

local function hold(owner, shape, ms)
  last = math.max(micros, last + 1)
  if shape == 'x' then
    holder, expires, granted = owner, now + ms, false
  else
    redis.call('ZADD', holders, text(now + ms), owner .. ' ' .. text(last))
  end
  return text(last)
end

local function grant(owner, shape)
  grants = grants + 1
  if shape == 'x' then
    hold(owner, shape, ${GRANT_MS})
    granted = true
  else
    redis.call('ZADD', holders, text(now + ${GRANT_MS}), owner .. ' g')
  end
end

-- Serves the queue until its head has to wait. A process that does not listen has died. Returns the token of \`me\`.
local function serve(me, ms)
  local token
  while true do
    local head = redis.call('ZRANGE', queue, 0, 0)[1]
    if not head then return token end
    local owner, shape, publish, channel = string.match(head, '^(%S+) (%S+) (%S+) (%S+)$')
    if owner and not fits(shape) then return token end
    redis.call('ZREM', queue, head)
    if owner == me then
      token = hold(owner, shape, ms)
    elseif owner and redis.call(publish, channel, owner .. ' ' .. shape .. ' ' .. state) > 0 then
      grant(owner, shape)
    end
  end
end

local function shared_holder(owner)
  for _, member in ipairs(redis.call('ZRANGE', holders, 0, -1)) do
    if string.sub(member, 1, #owner + 1) == owner .. ' ' then return member end
  end
end
`;
