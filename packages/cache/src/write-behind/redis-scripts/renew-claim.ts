import { defineScript } from '@tierkit/redis';
import { serverMicros } from './server-micros.ts';

/** Extends a lease for the names that it still holds. */
export const renewClaim = defineScript({
  name: 'cache-renew-claim',
  keys: ['due'],
  args: { lease: 'integer', leaseMs: 'integer', names: 'strings' },
  reply: (raw): { readonly lease: number; readonly held: number } => {
    const [lease, held] = raw as [string, number];
    return { lease: Number(lease), held };
  },
  lua: `
${serverMicros}
local renewed = math.max(lease + 1, nowUs + leaseMs * 1000)
local held = 0
for _, name in ipairs(names) do
  if tonumber(redis.call('ZSCORE', due, name) or '0') == lease then
    redis.call('ZADD', due, whole(renewed), name)
    held = held + 1
  end
end
return { whole(renewed), held }
`,
});
