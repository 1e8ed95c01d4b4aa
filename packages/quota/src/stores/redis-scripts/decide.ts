import { defineScript } from '@tierkit/redis';
import { KEEP_MS, TELL_AFTER_MS } from '../quota-store.ts';
import { holdFunctions } from './holds.ts';

/** The parts of a reply as Redis gives them. */
export interface RawDecision {
  readonly status: string;
  readonly now: string;
  readonly result: string;
  readonly crossings: string;
  readonly holdExpires: string;
}

/**
 * Decides a request on all of its rows: see `QuotaStore.decide`.
 *
 * `windows` has the key of each window, and last the marker of the id if there is one. `items` is, for each metric: its
 * name, amount, overflow and number of rows; for each row: period, position of its key in `windows` or 0 for a gauge,
 * start, end, limit or -1 for none, 1 if a stored limit goes before it, and the thresholds.
 *
 * Amounts are doubles, exact up to 2^53; what stands in Redis is written by HINCRBY. A number that is none of those is found
 * before anything is written, and answered as `corrupt`; `set` and `reset` remove it.
 */
export const decide = defineScript({
  name: 'quota-decide',
  keys: ['kept', 'holds', 'expiries', '...windows'],
  args: {
    verb: 'string',
    id: 'string',
    call: 'string',
    idTtlMs: 'integer',
    holdTtlMs: 'integer',
    fingerprint: 'string',
    items: 'strings',
  },
  reply: (raw): RawDecision => {
    const [status = '', now = '', result = '', crossings = '', holdExpires = '0'] = raw as string[];
    return { status, now, result, crossings, holdExpires };
  },
  lua: `
local MOST = 9007199254740991
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function text(number) return string.format('%.0f', number) end
-- A count as HINCRBY writes it; false or nil for anything else.
local function whole(value)
  local number = tonumber(value)
  return number and number >= 0 and number <= MOST and (value == '0' or string.find(value, '^[1-9]%d*$')) and number
end
local settles = verb == 'commit' or verb == 'release'
local mends = verb == 'set' or verb == 'reset'
local marker = nil
if id ~= '' then marker = windows[#windows] end
${holdFunctions}

-- A key of another type holds nothing of ours.
if mends then
  for i, key in ipairs(KEYS) do
    local kind = redis.call('TYPE', key).ok
    if kind ~= 'none' and kind ~= (i == 3 and 'zset' or 'hash') then redis.call('DEL', key) end
  end
elseif verb ~= 'add' and verb ~= 'read' then
  redis.call('ZCARD', expiries)
end

-- What is asked.
local at = 0
local function take()
  at = at + 1
  return items[at]
end
local metrics, rows, keptFields, holdFields = {}, {}, {}, { 'next' }
while at < #items do
  local metric = { name = take(), amount = tonumber(take()), overflow = take(), rows = {} }
  metrics[#metrics + 1] = metric
  for r = 1, tonumber(take()) do
    local row = { name = metric.name, period = take(), key = windows[tonumber(take())], start = take(), stop = take() }
    row.limit, row.stored, row.thresholds = tonumber(take()), take() == '1', take()
    row.field = row.name .. ':' .. row.period .. ':' .. row.start
    if row.stored then keptFields[#keptFields + 1] = 'limit:' .. row.name .. ':' .. row.period end
    if not row.key then
      keptFields[#keptFields + 1] = 'gauge:' .. row.name
      keptFields[#keptFields + 1] = 'told:' .. row.name
    end
    holdFields[#holdFields + 1] = 'sum:' .. row.field
    metric.rows[r] = row
    rows[#rows + 1] = row
  end
end

-- What is held, without the holds that have expired.
local sums = redis.call('HMGET', holds, unpack(holdFields))
if sums[1] and (tonumber(sums[1]) or 0) <= now then
  dropExpired()
  sums = redis.call('HMGET', holds, unpack(holdFields))
end
local hold = settles and redis.call('HGET', holds, 'hold:' .. id)

-- What was decided before under this id. Its crossings are for who has not heard of them: the same call, sent again by
-- the client, or another one when the first has had its time.
local function untold(pending)
  local by, at, crossings = string.match(pending, '^(%S+) (%d+);(.*)$')
  return by and (by == call or now - tonumber(at) > ${TELL_AFTER_MS}) and crossings or ''
end
local earlier = marker and redis.call('GET', marker)
local original = fingerprint
if earlier then
  local state, print, result, pending = string.match(earlier, '^(%a)\\n([^\\n]*)\\n([^\\n]*)\\n(.*)$')
  if settles then
    original = print
    if state == 'r' then return { 'released', text(now), result, '' } end
    if state == 's' then return { 'repeated', text(now), result, untold(pending) } end
  elseif state == 'c' or state == 's' or (state == 'h' and redis.call('ZSCORE', expiries, id)) then
    if print ~= fingerprint then return { 'conflict', text(now) } end
    return { 'repeated', text(now), result, untold(pending), redis.call('ZSCORE', expiries, id) or '0' }
  end
end

-- Whether the windows are those of now, or those of the hold.
local reserved = {}
if settles then
  local count = 0
  for field, amount in string.gmatch(hold or '', '(%S+):%d+=(%d+)') do
    reserved[field] = tonumber(amount)
    count = count + 1
  end
  if not hold or count ~= #rows then return { 'expired', text(now) } end
  for _, row in ipairs(rows) do
    if (reserved[row.field] or math.huge) > MOST then return { 'expired', text(now) } end
  end
else
  for _, row in ipairs(rows) do
    if row.key and (now < tonumber(row.start) or now >= tonumber(row.stop)) then return { 'period', text(now) } end
  end
end

-- What is used, and of what; after a reset nothing, whatever was there.
if verb == 'reset' then
  for _, row in ipairs(rows) do
    if row.key then redis.call('HDEL', row.key, row.name, row.name .. ':told') end
  end
end
local kept = #keptFields > 0 and redis.call('HMGET', kept, unpack(keptFields)) or {}
local nextKept = 0
local function takeKept()
  nextKept = nextKept + 1
  return kept[nextKept]
end
local strange = nil
for r, row in ipairs(rows) do
  if row.stored then
    local limit = takeKept()
    if limit then row.limit = limit == '-1' and -1 or whole(limit) end
  end
  if row.limit and row.limit < 0 then row.limit = math.huge end
  local used, told
  if row.key then
    local found = redis.call('HMGET', row.key, row.name, row.name .. ':told')
    used, told = found[1], found[2]
  else
    used, told = takeKept(), takeKept()
  end
  row.fresh = not used
  row.used = not used and 0 or whole(used)
  row.held = not sums[r + 1] and 0 or whole(sums[r + 1])
  row.told = tonumber(told or 0)
  if row.told and not (row.told >= 0 and row.told <= 100) then row.told = nil end
  if not (row.used and row.told and row.held and row.limit) then
    if mends and row.limit then
      redis.call('HDEL', row.key or KEYS[1], row.key and row.name or 'gauge:' .. row.name)
      redis.call('HDEL', row.key or KEYS[1], row.key and row.name .. ':told' or 'told:' .. row.name)
      if not row.held then redis.call('HDEL', holds, 'sum:' .. row.field) end
      row.fresh, row.used, row.told, row.held = true, 0, 0, row.held or 0
    else
      strange = strange or row
    end
  end
end
if strange then return { 'corrupt', text(now), strange.name .. ' ' .. strange.period } end

-- What is granted.
local refused = false
for _, metric in ipairs(metrics) do
  local amount, own = metric.amount, reserved[metric.rows[1].field] or 0
  metric.granted = amount
  local room, most = MOST, MOST
  for _, row in ipairs(metric.rows) do
    local free = row.used + row.held - own
    room = math.min(room, math.min(row.limit, MOST) - free)
    most = math.min(most, MOST - free)
  end
  if metric.overflow == 'allow' then room = most end
  if verb == 'set' then
    metric.granted = amount - metric.rows[1].used
  elseif amount < 0 then
    metric.granted = math.max(amount, -metric.rows[1].used)
  elseif amount > own and amount > room then
    -- What was reserved is there, even if the limit is lower by now.
    metric.granted = math.max(0, math.min(amount, own), room)
    if metric.overflow ~= 'partial' or (metric.granted == 0 and not settles) then refused = true end
  end
end

local function result()
  local out = {}
  for _, metric in ipairs(metrics) do
    out[#out + 1] = metric.name .. ' ' .. text(refused and 0 or metric.granted) .. ' ' .. #metric.rows
    for _, row in ipairs(metric.rows) do
      local limit = row.limit == math.huge and '-1' or text(row.limit)
      out[#out + 1] = table.concat({ row.period, row.start, row.stop, text(row.used), text(row.held), limit }, ' ')
    end
  end
  return table.concat(out, ' ')
end
if refused then return { 'refused', text(now), result(), '' } end
if verb == 'read' or verb == 'reset' then return { 'counted', text(now), result(), '' } end

-- Done.
local crossings, expires = {}, 0
local function remember(state, ttlMs)
  local pending = #crossings > 0 and call .. ' ' .. text(now) .. ';' .. table.concat(crossings, ' ') or ''
  local value = table.concat({ state, original, result(), pending }, '\\n')
  redis.call('SET', marker, value, 'PX', text(ttlMs))
end
if verb == 'reserve' then
  expires = now + holdTtlMs
  addHold(id, expires, metrics, rows)
  remember('h', holdTtlMs + idTtlMs)
  return { 'counted', text(now), result(), '', text(expires) }
end
if settles then
  dropHold(id)
  noteNext()
end
for _, metric in ipairs(metrics) do
  for _, row in ipairs(metric.rows) do
    row.held = row.held - (reserved[row.field] or 0)
    row.used = row.used + metric.granted
    if metric.granted ~= 0 then
      local stands, field = row.key or KEYS[1], row.key and row.name or 'gauge:' .. row.name
      redis.call('HINCRBY', stands, field, text(metric.granted))
      if row.key and row.fresh then redis.call('PEXPIREAT', row.key, text(row.stop + ${KEEP_MS})) end
      local reached = 0
      for each in string.gmatch(row.thresholds, '%S+') do
        local threshold = tonumber(each)
        if row.used / row.limit < threshold then break end
        reached = threshold
        if threshold > row.told then crossings[#crossings + 1] = row.name .. ' ' .. row.period .. ' ' .. each end
      end
      if reached > row.told or (reached < row.told and not row.key) then
        redis.call('HSET', stands, row.key and row.name .. ':told' or 'told:' .. row.name, tostring(reached))
      end
    end
  end
end
if marker then remember(verb == 'commit' and 's' or verb == 'release' and 'r' or 'c', idTtlMs) end
return { 'counted', text(now), result(), table.concat(crossings, ' ') }
`,
});
