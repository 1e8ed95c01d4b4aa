import { createLimiter, fixedWindow, limitProblem, normalizeAddress, rateLimitFields } from '@tierkit/rate-limit';

const policies = [fixedWindow({ limit: 2, per: '1m', name: 'minute' })];
const limiter = createLimiter('http', policies, { redis: 'memory' });

for (const address of ['192.0.2.1', '::ffff:192.0.2.1', '192.0.2.1']) {
  const result = await limiter.consume(normalizeAddress(address));
  console.log(result.allowed ? 200 : limitProblem(result).status, rateLimitFields(result, { policies }));
}
await limiter.close();
