import type { CacheStats } from '@tierkit/cache';
import type { Duration } from '@tierkit/core';
import { checkHealth, type RedisConnection, type RedisHealth } from '@tierkit/redis';

export interface TierkitHealth {
  /**
   * `'up'`; `'degraded'` when Redis answers but changes elsewhere are not heard of, so every read asks Redis; `'down'`
   * when Redis does not answer, so reads are answered by this process and by loaders.
   */
  readonly status: 'up' | 'degraded' | 'down';
  readonly backend: CacheStats['backend'];
  /** That of the slowest master, in milliseconds; 0 without Redis. */
  readonly latencyMs: number;
  /** Absent without Redis. */
  readonly redis?: RedisHealth;
}

export async function kitHealth(
  redis: RedisConnection | undefined,
  stats: () => CacheStats,
  timeout: Duration,
): Promise<TierkitHealth> {
  const { backend } = stats();
  if (redis === undefined) return { status: 'up', backend, latencyMs: 0 };
  const health = await checkHealth(redis, { timeout });
  const status = health.status === 'down' ? 'down' : stats().coherent ? 'up' : 'degraded';
  return { status, backend, latencyMs: health.latencyMs, redis: health };
}
