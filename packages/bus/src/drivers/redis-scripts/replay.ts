import { defineScript } from '@tierkit/redis';

/** Puts dead letters at the end of the stream, each for the group that it died in. It is trimmed as others add to it. */
export const replay = defineScript({
  name: 'bus-replay',
  keys: ['stream', 'counter', 'dead'],
  args: { ids: 'strings' },
  reply: Number,
  lua: `
    local done = 0
    for _, id in ipairs(ids) do
      local entry = redis.call('XRANGE', dead, id, id)[1]
      if entry then
        local f = {}
        for i = 1, #entry[2], 2 do f[entry[2][i]] = entry[2][i + 1] end
        local count = redis.call('INCR', counter)
        local add = {'XADD', stream, '*', count, f['m'] or '', 'g', f['g'] or ''}
        if f['s'] then add[#add + 1] = 's' add[#add + 1] = f['s'] end
        redis.call(unpack(add))
        redis.call('XDEL', dead, id)
        done = done + 1
      end
    end
    return done
  `,
});
