import type { Redis } from 'ioredis';
import type { RedisConnection } from './connection.ts';

export interface ScanOptions {
  /** Glob-style pattern that the keys match. @default every key */
  readonly match?: string;
  /** Roughly how many keys the server looks at for each batch. @default 1000 */
  readonly count?: number;
  /** Ends the scan with its reason, between two batches. */
  readonly signal?: AbortSignal;
}

/**
 * The keys of all masters, in batches as the servers deliver them; empty batches are left out.
 *
 * A key that exists all the time is delivered at least once; within a batch it occurs once, across batches it may
 * recur. Memory holds one batch. On a Cluster, keys of slots that move meanwhile may be missed.
 *
 * @throws {TierkitError} `ERR_REDIS_UNAVAILABLE`, `ERR_REDIS_TIMEOUT` or `ERR_REDIS_REPLY`: some keys were not delivered.
 */
export async function* scan(
  redis: RedisConnection,
  options: ScanOptions = {},
): AsyncGenerator<string[], void, undefined> {
  const { match = '*', count = 1_000, signal } = options;
  const nodes: readonly (Redis | undefined)[] = redis.topology === 'cluster' ? redis.masters() : [undefined];
  for (const node of nodes) {
    let cursor = '0';
    do {
      signal?.throwIfAborted();
      const from = cursor;
      const [next, keys] = await redis.execute(
        (client) => (node ?? (client as Redis)).scan(from, 'MATCH', match, 'COUNT', count),
        undefined,
        'SCAN',
      );
      cursor = next;
      if (keys.length > 0) yield [...new Set(keys)];
    } while (cursor !== '0');
  }
}
