import { createManualClock } from '@tierkit/core/testing';
import { createRedis, type RedisConnection, type RedisInput } from '@tierkit/redis';
import { randomBytes } from 'node:crypto';
import { afterAll } from 'vitest';
import { sleep } from '../../../../test/support/sleep.ts';
import { createLimiter, type Limiter, type LimiterOptions, type Policy } from '../../src/index.ts';

/** Limiters on one backend, closed after all tests. */
export interface LimiterWorld {
  /** One with keys of its own, which is ready. */
  make(policies: readonly Policy[], options?: Partial<LimiterOptions>): Promise<Limiter>;
  /** Moves the time of the backend on by `ms`, in reality where it is Redis's. */
  pass(ms: number): Promise<unknown>;
}

/** @param open What to pass as `redis`, which may be `'memory'` */
export function limiterWorld(open: () => Promise<RedisInput>): LimiterWorld {
  const made: Limiter[] = [];
  const clock = createManualClock(1_000_000);
  let shared: Promise<RedisConnection | 'memory'> | undefined;
  const backend = (): Promise<RedisConnection | 'memory'> =>
    (shared ??= open().then((redis) => (redis === 'memory' ? redis : createRedis(redis))));
  afterAll(async () => {
    await Promise.all(made.map((limiter) => limiter.close()));
    const redis = await shared;
    if (redis !== 'memory') await redis?.close();
  });
  return {
    async make(policies, options = {}) {
      const redis = await backend();
      const limiter = createLimiter('api', policies, {
        redis,
        prefix: `t${randomBytes(6).toString('hex')}:`,
        shield: false,
        ...(redis === 'memory' ? { clock } : {}),
        ...options,
      });
      made.push(limiter);
      await limiter.ready('10s');
      return limiter;
    },
    pass: async (ms) => ((await backend()) === 'memory' ? clock.advanceAsync(ms) : sleep(ms)),
  };
}
