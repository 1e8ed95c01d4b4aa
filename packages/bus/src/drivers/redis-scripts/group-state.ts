import { defineScript } from '@tierkit/redis';
import { POSITION_LUA } from './position-lua.ts';

/** What a group has before it, and what it lost. */
export const groupState = defineScript({
  name: 'bus-group-state',
  keys: ['stream', 'counter', 'dead', 'lost'],
  args: { group: 'string' },
  reply: (raw) => {
    const [waiting, pending, consumers, lost, deadLetters] = (raw as (string | number)[]).map(Number) as Five;
    return { waiting: waiting < 0 ? undefined : waiting, pending, consumers, lost, deadLetters };
  },
  lua: `
    ${POSITION_LUA}
    local dead = redis.call('XLEN', dead)
    local missed = redis.call('HGET', lost, 'lost:' .. group) or '0'
    if redis.call('EXISTS', stream) == 0 then return {0, 0, 0, missed, dead} end
    local count = tonumber(redis.call('GET', counter) or '0')
    for _, g in ipairs(groupsOf()) do
      if g['name'] == group then
        local at = positionOf(g['last-delivered-id'], count)
        return {at and count - at or -1, g['pending'], g['consumers'], missed, dead}
      end
    end
    return {redis.call('XLEN', stream), 0, 0, missed, dead}
  `,
});

type Five = [number, number, number, number, number];
