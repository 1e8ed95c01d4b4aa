import { defineScript } from '@tierkit/redis';

type Text = string | number | null;

/** What a group has before it, and what it lost. */
export const groupState = defineScript({
  name: 'bus-group-state',
  keys: ['stream', 'dead', 'lost'],
  args: { group: 'string' },
  reply: (raw) => {
    const [waiting, pending, consumers, lost, deadLetters] = raw as [Text, Text, Text, Text, Text];
    return {
      waiting: waiting === null || Number(waiting) < 0 ? undefined : Number(waiting),
      pending: Number(pending),
      consumers: Number(consumers),
      lost: Number(lost ?? 0),
      deadLetters: Number(deadLetters),
    };
  },
  lua: `
    local dead = redis.call('XLEN', dead)
    local missed = redis.call('HGET', lost, 'lost:' .. group) or '0'
    if redis.call('EXISTS', stream) == 0 then return {0, 0, 0, missed, dead} end
    for _, info in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
      local g = {}
      for i = 1, #info, 2 do g[info[i]] = info[i + 1] end
      if g['name'] == group then return {g['lag'] or -1, g['pending'], g['consumers'], missed, dead} end
    end
    return {redis.call('XLEN', stream), 0, 0, missed, dead}
  `,
});
