import { defineScript } from '@tierkit/redis';
import { serverMicros } from './server-micros.ts';

/** Lists a scope under a number that no registration before had, and its tier among those that are written behind. */
export const registerScope = defineScript({
  name: 'cache-register-scope',
  keys: ['registry', 'tiers'],
  args: { scope: 'string', tier: 'string' },
  reply: (raw): number => Number(raw),
  lua: `
${serverMicros}
local before = tonumber(redis.call('ZSCORE', registry, scope) or '0')
local registration = math.max(nowUs, before + 1)
redis.call('ZADD', registry, whole(registration), scope)
redis.call('SADD', tiers, tier)
return whole(registration)
`,
});
