import { defineScript } from '@tierkit/redis';
import { heldLease } from './lease.ts';

/** Lets the lease of this token run for another \`leaseMs\`, while it is still held. */
export const renewLease = defineScript({
  name: 'cache-renew-lease',
  keys: ['lease', '...generation'],
  args: { grantedGeneration: 'bytes', token: 'string', leaseMs: 'integer' },
  reply: (raw): boolean => raw === 1,
  lua: `
${heldLease}
if not holder then return 0 end
redis.call('PEXPIRE', lease, leaseMs)
return 1
`,
});
