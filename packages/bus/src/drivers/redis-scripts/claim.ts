import { defineScript } from '@tierkit/redis';

/**
 * Takes over what nobody has touched for a while, with how often each will have been tried, this time included, which is not
 * counted yet. Entries that trimming removed while a consumer had them are counted. Consumers that are long gone and have
 * nothing are forgotten.
 */
export const claim = defineScript({
  name: 'bus-claim',
  keys: ['stream', 'lost'],
  args: { group: 'string', consumer: 'string', idleMs: 'integer', limit: 'integer', goneMs: 'integer' },
  replyAs: 'buffer',
  reply: (raw) => raw as [entry: [id: Buffer, fields: Buffer[]], attempt: number][],
  lua: `
    local claimed, gone = {}, 0
    local cursor = '0-0'
    repeat
      local reply = redis.call('XAUTOCLAIM', stream, group, consumer, idleMs, cursor, 'COUNT', limit - #claimed, 'JUSTID')
      cursor = reply[1]
      for _, id in ipairs(reply[2]) do
        local entry = redis.call('XRANGE', stream, id, id)[1]
        if entry then
          local pending = redis.call('XPENDING', stream, group, id, id, 1)[1]
          claimed[#claimed + 1] = {entry, (pending and pending[4] or 0) + 1}
        else
          redis.call('XACK', stream, group, id)
          gone = gone + 1
        end
      end
      if reply[3] then gone = gone + #reply[3] end
    until cursor == '0-0' or #claimed >= limit
    if gone > 0 then redis.call('HINCRBY', lost, 'lost:' .. group, gone) end
    for _, info in ipairs(redis.call('XINFO', 'CONSUMERS', stream, group)) do
      local c = {}
      for i = 1, #info, 2 do c[info[i]] = info[i + 1] end
      if c['pending'] == 0 and c['idle'] > goneMs and c['name'] ~= consumer then
        redis.call('XGROUP', 'DELCONSUMER', stream, group, c['name'])
      end
    end
    return claimed
  `,
});
