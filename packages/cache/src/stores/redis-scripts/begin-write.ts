import { defineScript } from '@tierkit/redis';
import { currentGeneration } from './generation.ts';

/** Removes an entry, takes the lease of its key from whoever has it, and announces the change, all in one step. */
export const beginWrite = defineScript({
  name: 'cache-begin-write',
  keys: ['entry', 'lease', '...generation'],
  args: {
    ttlMs: 'integer',
    knownGeneration: 'bytes',
    freshGeneration: 'bytes',
    token: 'string',
    leaseMs: 'integer',
    channel: 'string',
    message: 'string',
  },
  replyAs: 'buffer',
  reply: (raw): Buffer => raw as Buffer,
  lua: `
${currentGeneration}
redis.call('UNLINK', entry)
redis.call('SET', lease, current .. token, 'PX', leaseMs)
redis.call('PUBLISH', channel, message)
return current
`,
});
