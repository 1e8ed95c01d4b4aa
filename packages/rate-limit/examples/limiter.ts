import { createLimiter, slidingWindow, tokenBucket } from '@tierkit/rate-limit';

const limiter = createLimiter(
  'api',
  [
    slidingWindow({ limit: 3, per: '10s', name: 'burst' }),
    tokenBucket({ capacity: 1000, refill: 100, per: '1m', name: 'steady' }),
  ],
  { redis: process.env['REDIS_URL'] ?? 'memory', prefix: `example${Date.now()}:`, plans: { pro: { burst: 30 } } },
);

await limiter.ready(); // until Redis is connected, onUnavailable decides

for (const cost of [1, 2, 1]) {
  const { allowed, policy, remaining } = await limiter.consume('user123', { cost });
  console.log(`cost ${cost}: ${allowed ? 'allowed' : 'denied'} by ${policy}, ${remaining} left`);
}
const { allowed, limit, remaining } = await limiter.consume('user123', { plan: 'pro' });
console.log(`on plan pro: ${allowed ? 'allowed' : 'denied'}, ${remaining} of ${limit} left`);

const never = await limiter.peek('user123', { cost: 31, plan: 'pro' });
console.log('a cost of 31 has to wait for', never.retryAfterMs);

await limiter.reset('user123');
console.log('after a reset:', (await limiter.peek('user123')).remaining);
await limiter.close();
