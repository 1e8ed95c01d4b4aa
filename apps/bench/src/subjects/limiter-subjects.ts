import {
  createLimiter,
  fixedWindow,
  gcra,
  slidingWindow,
  tokenBucket,
  type LimiterOptions,
  type Policy,
} from '@tierkit/rate-limit';
import type { LimitSubject } from '../limit-subject.ts';
import { connectClient } from './client.ts';

/** The least that a limit in Redis does: one script that counts and lets the count expire. */
export const rawIncrement: LimitSubject = {
  name: 'limit: INCR and PEXPIRE in a script',
  role: 'limit',
  async open({ port, limit }) {
    const redis = await connectClient(port);
    redis.client.defineCommand('rawIncrement', {
      numberOfKeys: 1,
      lua: `local n = redis.call('INCR', KEYS[1]) if n == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end return n`,
    });
    const { rawIncrement } = redis.client as unknown as {
      rawIncrement(key: string, windowMs: number): Promise<number>;
    };
    return {
      consume: async (key) => (await rawIncrement.call(redis.client, key, 60_000)) <= limit,
      close: () => redis.close(),
    };
  },
};

const per = '1m';
const noShield: Partial<LimiterOptions> = { shield: false };

export const tierkitFixed = tierkit('tierkit fixedWindow', (limit) => [fixedWindow({ limit, per })]);
export const tierkitSliding = tierkit('tierkit slidingWindow', (limit) => [slidingWindow({ limit, per })]);
export const tierkitBucket = tierkit('tierkit tokenBucket', (limit) => [
  tokenBucket({ capacity: limit, refill: Math.max(1, limit / 100), per: '1h' }),
]);
export const tierkitGcra = tierkit('tierkit gcra', (limit) => [gcra({ limit, per })]);
export const tierkitTwo = tierkit('tierkit two policies', (limit) => [
  slidingWindow({ limit, per }),
  fixedWindow({ limit: limit * 10, per: '1d' }),
]);
export const tierkitAsking = tierkit('tierkit without shield', (limit) => [fixedWindow({ limit, per })]);
export const tierkitShielded = tierkit('tierkit shield', (limit) => [fixedWindow({ limit, per })], {});

function tierkit(
  name: string,
  policies: (limit: number) => readonly Policy[],
  options: Partial<LimiterOptions> = noShield,
): LimitSubject {
  return {
    name,
    role: 'ours',
    async open({ port, limit }) {
      const redis = `redis://127.0.0.1:${port}`;
      const limiter = createLimiter(name, policies(limit), { redis, onUnavailable: 'closed', ...options });
      await limiter.ready();
      return { consume: async (key) => (await limiter.consume(key)).allowed, close: () => limiter.close() };
    },
  };
}
