import { defineScript } from '@tierkit/redis';

/**
 * Makes a group that begins behind an id, at the end (`$`) or before everything (`0-0`). In the latter two cases Redis is
 * told how many entries are behind it, as it goes on counting from there; servers before 7 do without.
 */
export const createGroup = defineScript({
  name: 'bus-create-group',
  keys: ['stream'],
  args: { group: 'string', start: 'string' },
  reply: () => undefined,
  lua: `
    local added, length = 0, 0
    if redis.call('EXISTS', stream) == 1 then
      local info = redis.call('XINFO', 'STREAM', stream)
      added = nil
      for i = 1, #info, 2 do
        if info[i] == 'entries-added' then added = info[i + 1] end
        if info[i] == 'length' then length = info[i + 1] end
      end
    end
    local made
    if added and (start == '$' or start == '0-0') then
      local behind = start == '$' and added or added - length
      made = redis.pcall('XGROUP', 'CREATE', stream, group, start, 'MKSTREAM', 'ENTRIESREAD', string.format('%.0f', behind))
    end
    if not made or made.err and not string.find(made.err, 'BUSYGROUP') then
      made = redis.pcall('XGROUP', 'CREATE', stream, group, start, 'MKSTREAM')
    end
    if made.err and not string.find(made.err, 'BUSYGROUP') then return made end
    return 1
  `,
});
