import type { CacheOptions } from '@tierkit/cache';
import type { RedisConnection } from '@tierkit/redis';
import type { DurableRedis } from './durable-redis.ts';

/**
 * Where the cache keeps what is written behind. On Redis it always asks there, since a read may meet what another instance
 * wrote; without Redis it keeps it by itself.
 */
export function writtenBehindOn(
  durable: DurableRedis,
  redis: RedisConnection | undefined,
): Pick<CacheOptions, 'durableRedis'> {
  if (redis === undefined) return {};
  const connection = durable.get('what is written behind');
  return connection === 'memory' || connection === redis ? {} : { durableRedis: connection };
}
