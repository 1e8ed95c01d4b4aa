import { createHash } from 'node:crypto';
import { Ratelimit } from '@upstash/ratelimit';
import type { Redis } from 'ioredis';
import { RedisStore } from 'rate-limit-redis';
import {
  RateLimiterRedis,
  RateLimiterRes,
  RateLimiterUnion,
  type IRateLimiterStoreOptions,
} from 'rate-limiter-flexible';
import type { LimitSubject } from '../limit-subject.ts';
import { connectClient } from './client.ts';

interface Consuming {
  consume(key: string, points: number): Promise<unknown>;
}

function flexible(name: string, limiterOver: (storeClient: Redis, limit: number) => Consuming): LimitSubject {
  return {
    name,
    role: 'peer',
    async open({ port, limit }) {
      const redis = await connectClient(port);
      const limiter = limiterOver(redis.client, limit);
      const consume = async (key: string): Promise<boolean> => {
        try {
          await limiter.consume(key, 1);
          return true;
        } catch (denial) {
          if (isDenial(denial)) return false;
          throw denial;
        }
      };
      return { consume, close: () => redis.close() };
    },
  };
}

/** It rejects with the result, a union with one by name. */
function isDenial(thrown: unknown): boolean {
  if (thrown instanceof RateLimiterRes) return true;
  const results: unknown[] = thrown instanceof Error ? [] : Object.values(thrown as object);
  return results.some((result) => result instanceof RateLimiterRes);
}

const perMinute = (storeClient: Redis, points: number): IRateLimiterStoreOptions => ({
  storeClient,
  points,
  duration: 60,
  keyPrefix: 'flexible',
});

export const flexibleWindow = flexible(
  'rate-limiter-flexible',
  (client, limit) => new RateLimiterRedis(perMinute(client, limit)),
);

export const flexibleBlocking = flexible(
  'rate-limiter-flexible in-memory block',
  (client, limit) => new RateLimiterRedis({ ...perMinute(client, limit), inMemoryBlockOnConsumed: limit + 1 }),
);

export const flexibleUnion = flexible(
  'rate-limiter-flexible union',
  (client, limit) =>
    new RateLimiterUnion(
      new RateLimiterRedis({ ...perMinute(client, limit), keyPrefix: 'flexible-minute' }),
      new RateLimiterRedis({ ...perMinute(client, limit * 10), keyPrefix: 'flexible-day', duration: 86_400 }),
    ),
);

/** The store under express-rate-limit, which compares the count with the limit. */
export const rateLimitRedis: LimitSubject = {
  name: 'rate-limit-redis',
  role: 'peer',
  async open({ port, limit }) {
    const redis = await connectClient(port);
    const store = new RedisStore({
      sendCommand: (command, ...args) => redis.client.call(command, ...args) as Promise<number>,
      prefix: 'rate-limit-redis:',
    });
    await store.init({ windowMs: 60_000 } as Parameters<typeof store.init>[0]);
    return {
      consume: async (key) => (await store.increment(key)).totalHits <= limit,
      close: () => redis.close(),
    };
  },
};

const sha1 = (text: string): string => createHash('sha1').update(text).digest('hex');

function upstash(name: string, limiterOf: (limit: number) => ReturnType<typeof Ratelimit.slidingWindow>): LimitSubject {
  return {
    name,
    role: 'peer',
    async open({ port, limit }) {
      const redis = await connectClient(port);
      const { client } = redis;
      const known = new Map<string, string>();
      // It is made for a server of its own over HTTP. All that it calls of its client are these two, and its scripts begin
      // with a flag that Redis refuses.
      const adapter = {
        evalsha: (sha: string, keys: string[], args: (string | number)[]) =>
          client.evalsha(known.get(sha) ?? sha, keys.length, ...keys, ...args.map(String)),
        eval: (script: string, keys: string[], args: (string | number)[]) => {
          const plain = script.replace(/^#!lua flags=allow-key-locking\n/, '');
          known.set(sha1(script), sha1(plain));
          return client.eval(plain, keys.length, ...keys, ...args.map(String));
        },
      };
      const limiter = new Ratelimit({
        redis: adapter as unknown as ConstructorParameters<typeof Ratelimit>[0]['redis'],
        limiter: limiterOf(limit),
        ephemeralCache: false,
        prefix: name,
      });
      return { consume: async (key) => (await limiter.limit(key)).success, close: () => redis.close() };
    },
  };
}

export const upstashFixed = upstash('@upstash/ratelimit fixedWindow', (limit) => Ratelimit.fixedWindow(limit, '60 s'));
export const upstashSliding = upstash('@upstash/ratelimit slidingWindow (approximate)', (limit) =>
  Ratelimit.slidingWindow(limit, '60 s'),
);
export const upstashBucket = upstash('@upstash/ratelimit tokenBucket', (limit) =>
  Ratelimit.tokenBucket(Math.max(1, limit / 100), '3600 s', limit),
);
