import { defineScript } from '@tierkit/redis';

/**
 * Adds an entry and trims the stream. Its number is the name of the message's field, which spares readers two strings an
 * entry. What trimming takes from a group before any consumer had it is counted
 * per group, which then counts as having read it.
 */
export const append = defineScript({
  name: 'bus-append',
  keys: ['stream', 'counter', 'lost'],
  args: { message: 'bytes', maxLength: 'integer', maxAgeMs: 'integer', subject: 'string' },
  reply: (raw) => {
    const [id, count] = raw as [string, number];
    return { id, count };
  },
  lua: `
    local before = redis.call('XLEN', stream)
    local count = redis.call('INCR', counter)
    local id
    if subject == '' then
      id = redis.call('XADD', stream, 'MAXLEN', '~', maxLength, '*', count, message)
    else
      id = redis.call('XADD', stream, 'MAXLEN', '~', maxLength, '*', count, message, 's', subject)
    end
    if maxAgeMs > 0 then
      local time = redis.call('TIME')
      local oldest = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000) - maxAgeMs
      redis.call('XTRIM', stream, 'MINID', '~', string.format('%.0f', math.max(oldest, 0)))
    end
    if redis.call('XLEN', stream) > before then return {id, count} end
    local function fields(list)
      local map = {}
      for i = 1, #list, 2 do map[list[i]] = list[i + 1] end
      return map
    end
    local info = fields(redis.call('XINFO', 'STREAM', stream))
    if not info['entries-added'] then return {id, count} end
    local trimmed = info['entries-added'] - info['length']
    for _, group in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
      local g = fields(group)
      local missed = g['entries-read'] and trimmed - g['entries-read'] or 0
      if missed > 0 then
        redis.call('HINCRBY', lost, 'lost:' .. g['name'], missed)
        redis.call('XGROUP', 'SETID', stream, g['name'], g['last-delivered-id'], 'ENTRIESREAD', string.format('%.0f', trimmed))
      end
    end
    return {id, count}
  `,
});
