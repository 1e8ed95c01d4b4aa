import { defineScript } from '@tierkit/redis';

/**
 * Makes a group that begins behind an id, or at the end (`$`), and tells behind which id the group is, made or found. An id
 * that lies ahead of the stream means its end.
 */
export const createGroup = defineScript({
  name: 'bus-create-group',
  keys: ['stream'],
  args: { group: 'string', start: 'string' },
  reply: String,
  lua: `
    local function fields(list)
      local map = {}
      for i = 1, #list, 2 do map[list[i]] = list[i + 1] end
      return map
    end
    local function ahead(id, other)
      local ms, sequence = string.match(id, '^(%d+)-(%d+)$')
      local otherMs, otherSequence = string.match(other, '^(%d+)-(%d+)$')
      if tonumber(ms) ~= tonumber(otherMs) then return tonumber(ms) > tonumber(otherMs) end
      return tonumber(sequence) > tonumber(otherSequence)
    end
    local last = '0-0'
    if redis.call('EXISTS', stream) == 1 then
      last = fields(redis.call('XINFO', 'STREAM', stream))['last-generated-id']
    end
    local place = start
    if place == '$' or ahead(place, last) then place = last end
    local made = redis.pcall('XGROUP', 'CREATE', stream, group, place, 'MKSTREAM')
    if made.err and not string.find(made.err, 'BUSYGROUP') then return made end
    for _, info in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
      local found = fields(info)
      if found['name'] == group then return found['last-delivered-id'] end
    end
    return place
  `,
});
