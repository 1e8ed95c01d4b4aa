/**
 * Lua that tells how many entries a stream had taken up to a place, from the number of the entry that follows; nil where
 * that was added by others. Redis's own count of what a group has read is not exact after trimming, and not after a restart.
 */
export const POSITION_LUA = `
    local function positionOf(id, count)
      local next = redis.call('XRANGE', stream, '(' .. id, '+', 'COUNT', 1)[1]
      if not next then return count end
      local number = tonumber(next[2][1])
      return number and number <= count and number - 1 or nil
    end
    local function groupsOf()
      local groups = {}
      for _, info in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
        local group = {}
        for i = 1, #info, 2 do group[info[i]] = info[i + 1] end
        groups[#groups + 1] = group
      end
      return groups
    end
`;
