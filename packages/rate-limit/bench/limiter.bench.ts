// node --conditions=@tierkit/source --import tsx packages/rate-limit/bench/limiter.bench.ts
// What a decision costs in this process, by who makes it; the peers are in apps/bench. REDIS_URL says which Redis.
import { createLimiter, fixedWindow, slidingWindow, type Limiter } from '@tierkit/rate-limit';

const redis = process.env['REDIS_URL'] ?? 'redis://localhost:6379';
const prefix = `bench${Date.now()}:`;
const subjects = Array.from({ length: 500 }, (_, n) => `user:${n}`);

const much = [slidingWindow({ limit: 1_000_000, per: '1m' })];
const little = [fixedWindow({ limit: 1, per: '1h' })];
const limiters: Readonly<Record<string, Limiter>> = {
  'memory, allowed': createLimiter('memory', much, { redis: 'memory' }),
  'memory, denied': createLimiter('memory', little, { redis: 'memory' }),
  'Redis, allowed': createLimiter('allowed', much, { redis, prefix }),
  'Redis, denied without shield': createLimiter('asked', little, { redis, prefix, shield: false }),
  'shield, denied': createLimiter('shielded', little, { redis, prefix }),
};

for (const [name, limiter] of Object.entries(limiters)) {
  await limiter.ready();
  // Allowed once, denied, and remembered once the subscription is there.
  for (let round = 0; round < 5; round++) {
    for (const subject of subjects) await limiter.consume(subject);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const calls = name.startsWith('Redis') ? 5_000 : 200_000;
  const timesNs: number[] = [];
  for (let round = 0; round < 9; round++) {
    const startMs = performance.now();
    for (let n = 0; n < calls; n++) await limiter.consume(subjects[n % subjects.length] ?? '');
    timesNs.push(((performance.now() - startMs) * 1e6) / calls);
  }
  const medianNs = timesNs.toSorted((a, b) => a - b)[4] ?? 0;
  console.log(`${name.padEnd(30)} ${medianNs.toFixed(0).padStart(7)} ns`);
  await limiter.close();
}
