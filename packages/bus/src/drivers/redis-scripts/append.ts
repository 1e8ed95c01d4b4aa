import { defineScript } from '@tierkit/redis';
import { POSITION_LUA } from './position-lua.ts';

/**
 * Adds an entry, and with each hundredth trims the stream. Its number is the name of the message's field, which spares
 * readers two strings an entry. What trimming takes from a group before any consumer had it is counted per group.
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
    ${POSITION_LUA}
    local count = redis.call('INCR', counter)
    local id
    if subject == '' then
      id = redis.pcall('XADD', stream, '*', count, message)
    else
      id = redis.pcall('XADD', stream, '*', count, message, 's', subject)
    end
    if type(id) == 'table' then
      redis.call('DECR', counter)
      return id
    end
    if count % 100 ~= 0 then return {id, count} end
    local groups = groupsOf()
    for _, group in ipairs(groups) do group.at = positionOf(group['last-delivered-id'], count) end
    redis.call('XTRIM', stream, 'MAXLEN', '~', maxLength)
    if maxAgeMs > 0 then
      local time = redis.call('TIME')
      local oldest = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000) - maxAgeMs
      redis.call('XTRIM', stream, 'MINID', '~', string.format('%.0f', math.max(oldest, 0)))
    end
    local trimmed = positionOf('0-0', count)
    for _, group in ipairs(groups) do
      if trimmed and group.at and trimmed > group.at then
        redis.call('HINCRBY', lost, 'lost:' .. group['name'], trimmed - group.at)
      end
    end
    return {id, count}
  `,
});
