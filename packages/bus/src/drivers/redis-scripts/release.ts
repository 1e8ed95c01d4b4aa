import { defineScript } from '@tierkit/redis';

/**
 * Says of an entry of the consumer for how long it counts as idle, so that it is claimed that much sooner, and how often it
 * was tried. Tells whether it still was the consumer's.
 */
export const release = defineScript({
  name: 'bus-release',
  keys: ['stream'],
  args: { group: 'string', consumer: 'string', id: 'string', idleMs: 'integer', attempts: 'integer' },
  reply: (raw) => raw === 1,
  lua: `
    local pending = redis.call('XPENDING', stream, group, id, id, 1)[1]
    if not pending or pending[2] ~= consumer then return 0 end
    redis.call('XCLAIM', stream, group, consumer, 0, id, 'IDLE', idleMs, 'RETRYCOUNT', attempts, 'JUSTID')
    return 1
  `,
});
