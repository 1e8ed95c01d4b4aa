import { defineScript } from '@tierkit/redis';

/**
 * Moves an entry to the dead letters if the group still has it to finish; of these about as many as `limit` are kept. One that
 * trimming has removed is counted as lost.
 */
export const bury = defineScript({
  name: 'bus-bury',
  keys: ['stream', 'dead', 'lost'],
  args: { group: 'string', id: 'string', attempts: 'integer', reason: 'string', limit: 'integer' },
  reply: () => undefined,
  lua: `
    if redis.call('XACK', stream, group, id) == 0 then return 0 end
    local entry = redis.call('XRANGE', stream, id, id)[1]
    if not entry then return redis.call('HINCRBY', lost, 'lost:' .. group, 1) end
    local f = {}
    for i = 3, #entry[2], 2 do f[entry[2][i]] = entry[2][i + 1] end
    local add = {'XADD', dead, 'MAXLEN', '~', limit, '*', 'm', entry[2][2], 'g', group, 't', attempts, 'r', reason}
    if f['s'] then add[#add + 1] = 's' add[#add + 1] = f['s'] end
    redis.call(unpack(add))
    return 1
  `,
});
