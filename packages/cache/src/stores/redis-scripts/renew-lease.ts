import { defineScript } from '@tierkit/redis';
import { heldLease } from './lease.ts';

/** Lets the lease of this token run for another \`leaseMs\`, while it is still held, and its generation with it. */
export const renewLease = defineScript({
  name: 'cache-renew-lease',
  keys: ['lease', '...generation'],
  args: { grantedGeneration: 'bytes', token: 'string', leaseMs: 'integer' },
  reply: (raw): boolean => raw === 1,
  lua: `
${heldLease}
if not holder then return 0 end
redis.call('PEXPIRE', lease, leaseMs)
if generation[1] and redis.call('PTTL', generation[1]) < leaseMs * 2 then
  redis.call('PEXPIRE', generation[1], leaseMs * 2)
end
return 1
`,
});
