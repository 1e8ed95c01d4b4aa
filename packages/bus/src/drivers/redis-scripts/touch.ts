import { defineScript } from '@tierkit/redis';

/** Resets the idle time of those entries that are still the consumer's own, and tells which they are. */
export const touch = defineScript({
  name: 'bus-touch',
  keys: ['stream'],
  args: { group: 'string', consumer: 'string', ids: 'strings' },
  reply: (raw) => raw as string[],
  lua: `
    local own = {}
    for _, id in ipairs(ids) do
      local pending = redis.call('XPENDING', stream, group, id, id, 1)[1]
      if pending and pending[2] == consumer then
        redis.call('XCLAIM', stream, group, consumer, 0, id, 'JUSTID')
        own[#own + 1] = id
      end
    end
    return own
  `,
});
