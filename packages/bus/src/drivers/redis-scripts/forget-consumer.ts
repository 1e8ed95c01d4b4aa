import { defineScript } from '@tierkit/redis';

/**
 * Frees what the consumer was given behind `after`, and removes the consumer if it has nothing to acknowledge; with entries,
 * they would be lost for the group.
 */
export const forgetConsumer = defineScript({
  name: 'bus-forget-consumer',
  keys: ['stream'],
  args: { group: 'string', consumer: 'string', after: 'string', idleMs: 'integer', limit: 'integer' },
  reply: () => undefined,
  lua: `
    local pending = redis.pcall('XPENDING', stream, group, '(' .. after, '+', limit, consumer)
    if pending.err then return 0 end
    for _, entry in ipairs(pending) do
      local tries = math.max(0, entry[4] - 1)
      redis.call('XCLAIM', stream, group, consumer, 0, entry[1], 'IDLE', idleMs, 'RETRYCOUNT', tries, 'JUSTID')
    end
    if #redis.call('XPENDING', stream, group, '-', '+', 1, consumer) == 0 then
      redis.call('XGROUP', 'DELCONSUMER', stream, group, consumer)
    end
    return 1
  `,
});
