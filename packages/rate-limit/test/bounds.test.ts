import { createRedis, type RedisConnection } from '@tierkit/redis';
import { createManualClock } from '@tierkit/core/testing';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sharedRedis } from '../../../test/support/shared-redis.ts';
import { createLimiter, fixedWindow, gcra, slidingWindow, tokenBucket, type Policy } from '../src/index.ts';
import { worstWindow, type Admitted } from './support/rolling-window.ts';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

/** What the README's table says of a limit of 100. */
function stated(row: string): number {
  const line = readme.split('\n').find((line) => line.startsWith(`| ${row} `));
  const cells = line?.split('|').map((cell) => cell.trim()) ?? [];
  return Number(cells[2]);
}

const PER_MS = 1_000;
const rows: readonly (readonly [string, Policy])[] = [
  ['`fixedWindow`', fixedWindow({ limit: 100, per: PER_MS })],
  ['`slidingWindow`', slidingWindow({ limit: 100, per: PER_MS })],
  ['`slidingWindow`, `exact`', slidingWindow({ limit: 100, per: PER_MS, exact: true })],
  ['`tokenBucket`, `capacity: 100`', tokenBucket({ capacity: 100, refill: 100, per: PER_MS })],
  ['`gcra`', gcra({ limit: 100, per: PER_MS })],
  ['`gcra`, `burst: 10`', gcra({ limit: 100, per: PER_MS, burst: 10 })],
];

describe('the worst rolling window', () => {
  it.each(rows)('of %s on a virtual clock is what the README states', async (row, policy) => {
    let worst = 0;
    // One request first, for a window that begins with it; then silence up to some moment; then as many as pass.
    for (const restMs of [0, 100, 500, 900, 990, 999]) {
      const clock = createManualClock();
      const limiter = createLimiter('worst', [policy], { redis: 'memory', clock });
      const admitted: Admitted[] = [];
      const ask = async (): Promise<boolean> => {
        const { allowed } = await limiter.consume('ann');
        const nowMs = clock.monotonic();
        if (allowed) admitted.push({ sentMs: nowMs, answeredMs: nowMs, cost: 1 });
        return allowed;
      };
      await ask();
      clock.advance(restMs);
      for (let ms = 0; ms < 3 * PER_MS; ms++) {
        while (await ask());
        clock.advance(1);
      }
      worst = Math.max(worst, worstWindow(admitted, PER_MS));
      await limiter.close();
    }
    expect(worst).toBe(policy.worstPerWindow);
    expect(worst).toBe(stated(row));
  });
});

describe('on Redis', () => {
  let redis: RedisConnection;
  beforeAll(async () => {
    redis = createRedis(sharedRedis());
    await redis.ready();
  });
  afterAll(() => redis.close());

  const short: readonly (readonly [string, Policy])[] = [
    ['fixed window', fixedWindow({ limit: 20, per: 150 })],
    ['sliding window', slidingWindow({ limit: 20, per: 150 })],
    ['exact sliding window', slidingWindow({ limit: 20, per: 150, exact: true })],
    ['token bucket', tokenBucket({ capacity: 20, refill: 20, per: 150 })],
    ['gcra with a small burst', gcra({ limit: 20, per: 150, burst: 2 })],
  ];

  it.each(short)('%s never admits more in any window', async (_, policy) => {
    const prefix = `t${randomBytes(6).toString('hex')}:`;
    const limiter = createLimiter('worst', [policy], { redis, prefix, shield: false });
    const admitted: Admitted[] = [];
    await limiter.consume('ann');
    const fromMs = performance.now();
    const ask = async (): Promise<void> => {
      const sentMs = performance.now();
      const { allowed } = await limiter.consume('ann');
      if (allowed) admitted.push({ sentMs, answeredMs: performance.now(), cost: 1 });
    };
    // The attack on a window's end, for two rounds and as many more as a busy machine needs: idle for most of it, then as
    // fast as possible.
    while (performance.now() - fromMs < 500 || admitted.length <= policy.limit) {
      const phaseMs = (performance.now() - fromMs) % 300;
      if (phaseMs < 110) await new Promise((resolve) => setTimeout(resolve, 110 - phaseMs));
      await Promise.all(Array.from({ length: 8 }, ask));
    }
    await limiter.close();
    expect(admitted.length).toBeGreaterThan(policy.limit);
    expect(worstWindow(admitted, 150)).toBeLessThanOrEqual(policy.worstPerWindow);
  });
});
