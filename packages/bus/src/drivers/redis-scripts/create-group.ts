import { defineScript } from '@tierkit/redis';

/**
 * Makes a group that begins behind an id, or at the end (`$`), and tells behind which id the group is, made or found. An id
 * that lies ahead of the stream means its end. Redis is told how many entries are behind the place, as it goes on counting
 * from there; servers before 7 do without.
 */
export const createGroup = defineScript({
  name: 'bus-create-group',
  keys: ['stream', 'counter'],
  args: { group: 'string', start: 'string' },
  reply: String,
  lua: `
    local function fields(list)
      local map = {}
      for i = 1, #list, 2 do map[list[i]] = list[i + 1] end
      return map
    end
    local added, length, last = 0, 0, '0-0'
    if redis.call('EXISTS', stream) == 1 then
      local info = fields(redis.call('XINFO', 'STREAM', stream))
      added, length, last = info['entries-added'], info['length'], info['last-generated-id']
    end
    local function ahead(id, other)
      local ms, sequence = string.match(id, '^(%d+)-(%d+)$')
      local otherMs, otherSequence = string.match(other, '^(%d+)-(%d+)$')
      if tonumber(ms) ~= tonumber(otherMs) then return tonumber(ms) > tonumber(otherMs) end
      return tonumber(sequence) > tonumber(otherSequence)
    end
    local place = start
    if place == '$' or ahead(place, last) then place = last end
    local behind
    if place == last then
      behind = added
    elseif place == '0-0' then
      behind = added and added - length
    elseif added then
      local after = redis.call('XRANGE', stream, '(' .. place, '+', 'COUNT', 1)[1]
      local number = after and tonumber(after[2][1])
      local count = tonumber(redis.call('GET', counter) or '')
      if number and count and count >= number and count - number < added then behind = added - (count - number + 1) end
    end
    local made
    if behind then
      made = redis.pcall('XGROUP', 'CREATE', stream, group, place, 'MKSTREAM', 'ENTRIESREAD', string.format('%.0f', behind))
    end
    if not made or made.err and not string.find(made.err, 'BUSYGROUP') then
      made = redis.pcall('XGROUP', 'CREATE', stream, group, place, 'MKSTREAM')
    end
    if made.err and not string.find(made.err, 'BUSYGROUP') then return made end
    for _, info in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
      local found = fields(info)
      if found['name'] == group then return found['last-delivered-id'] end
    end
    return place
  `,
});
