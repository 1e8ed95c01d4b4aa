import { defineScript } from '@tierkit/redis';
import { heldLease, wakeWaiters } from './lease.ts';

/**
 * Gives the lease of this token back without a value, and wakes those who wait for it. For `noteMs`, if above 0, a note
 * takes its place, and nobody else loads.
 */
export const releaseLease = defineScript({
  name: 'cache-release-lease',
  keys: ['lease', '...generation'],
  args: {
    grantedGeneration: 'bytes',
    token: 'string',
    channel: 'string',
    message: 'string',
    note: 'string',
    noteMs: 'integer',
  },
  reply: (): void => undefined,
  lua: `
${heldLease}
if not holder then return 0 end
if noteMs > 0 then
  redis.call('SET', lease, grantedGeneration .. '!' .. note, 'PX', noteMs)
else
  redis.call('DEL', lease)
end
${wakeWaiters}
return 1
`,
});
