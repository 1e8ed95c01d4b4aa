import { defineScript } from '@tierkit/redis';
import { currentGeneration, envelopeHeader } from './generation.ts';

/** Stores entries, voids the leases of their keys and announces the change, all in one step. */
export const writeEntries = defineScript({
  name: 'cache-write-entries',
  keys: ['...generationEntriesAndLeases'],
  args: {
    ttlMs: 'integer',
    freshMs: 'integer',
    hasGeneration: 'boolean',
    knownGeneration: 'bytes',
    freshGeneration: 'bytes',
    channel: 'string',
    message: 'string',
    meta: 'bytes',
    /** One byte for each payload. */
    flags: 'bytes',
    payloads: 'bytesList',
  },
  reply: (): void => undefined,
  lua: `
local keys = generationEntriesAndLeases
local first = hasGeneration and 1 or 0
local generation = { hasGeneration and keys[1] or nil }
${currentGeneration}
${envelopeHeader}
for i, payload in ipairs(payloads) do
  redis.call('SET', keys[first + 2 * i - 1], headerOf(ttlMs, freshMs, string.byte(flags, i), meta) .. payload, 'PX', ttlMs)
  redis.call('DEL', keys[first + 2 * i])
end
redis.call('PUBLISH', channel, message)
return 1
`,
});
