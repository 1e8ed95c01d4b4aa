import { defineScript } from '@tierkit/redis';
import { endLease, heldLease } from './lease.ts';

/** Gives the lease of this token back without a value. */
export const releaseLease = defineScript({
  name: 'cache-release-lease',
  keys: ['lease', '...generation'],
  args: { grantedGeneration: 'bytes', token: 'string', channel: 'string', message: 'string' },
  reply: (): void => undefined,
  lua: `
${heldLease}
if not holder then return 0 end
${endLease}
return 1
`,
});
