import { defineScript } from '@tierkit/redis';
import { currentGeneration, envelopeHeader } from './generation.ts';

/** Stores one entry, voids the lease of its key and announces the change, all in one step. */
export const writeEntry = defineScript({
  name: 'cache-write-entry',
  keys: ['entry', 'lease', '...generation'],
  args: {
    ttlMs: 'integer',
    freshMs: 'integer',
    knownGeneration: 'bytes',
    freshGeneration: 'bytes',
    channel: 'string',
    message: 'string',
    flags: 'integer',
    meta: 'bytes',
    payload: 'bytes',
  },
  reply: (): void => undefined,
  lua: `
${currentGeneration}
${envelopeHeader}
redis.call('SET', entry, headerOf(ttlMs, freshMs, flags, meta) .. payload, 'PX', ttlMs)
redis.call('DEL', lease)
redis.call('PUBLISH', channel, message)
return 1
`,
});
