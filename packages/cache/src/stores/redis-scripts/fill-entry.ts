import { defineScript } from '@tierkit/redis';
import { envelopeHeader } from './generation.ts';
import { heldLease, wakeWaiters } from './lease.ts';

/**
 * Stores a loaded value if the lease is still this token's and the scope was not cleared since, which makes it
 * impossible for a slow load to overwrite what came after it began.
 */
export const fillEntry = defineScript({
  name: 'cache-fill-entry',
  keys: ['entry', 'lease', '...generation'],
  args: {
    ttlMs: 'integer',
    freshMs: 'integer',
    grantedGeneration: 'bytes',
    token: 'string',
    channel: 'string',
    message: 'string',
    flags: 'integer',
    meta: 'bytes',
    payload: 'bytes',
  },
  reply: (raw): boolean => raw === 1,
  lua: `
${heldLease}
if not holder then return 0 end
if generation[1] and redis.call('PTTL', generation[1]) < ttlMs then
  redis.call('PEXPIRE', generation[1], ttlMs * 2)
end
local current = grantedGeneration
${envelopeHeader}
redis.call('SET', entry, headerOf(ttlMs, freshMs, flags, meta) .. payload, 'PX', ttlMs)
redis.call('DEL', lease)
${wakeWaiters}
return 1
`,
});
