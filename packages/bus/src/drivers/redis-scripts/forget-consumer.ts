import { defineScript } from '@tierkit/redis';

/** Removes a consumer that has nothing to acknowledge; with entries, they would be lost for the group. */
export const forgetConsumer = defineScript({
  name: 'bus-forget-consumer',
  keys: ['stream'],
  args: { group: 'string', consumer: 'string' },
  reply: () => undefined,
  lua: `
    local pending = redis.pcall('XPENDING', stream, group, '-', '+', 1, consumer)
    if not pending.err and #pending == 0 then redis.pcall('XGROUP', 'DELCONSUMER', stream, group, consumer) end
    return 1
  `,
});
