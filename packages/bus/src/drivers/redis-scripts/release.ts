import { defineScript } from '@tierkit/redis';

/** Lets an entry of the consumer look as if it had been idle for a while, so that it is claimed that much sooner. */
export const release = defineScript({
  name: 'bus-release',
  keys: ['stream'],
  args: { group: 'string', consumer: 'string', id: 'string', idleMs: 'integer' },
  reply: () => undefined,
  lua: `
    local pending = redis.call('XPENDING', stream, group, id, id, 1)[1]
    if pending and pending[2] == consumer then
      redis.call('XCLAIM', stream, group, consumer, 0, id, 'IDLE', idleMs, 'JUSTID')
    end
    return 1
  `,
});
