import { TierkitError } from '@tierkit/core';
import type { RedisConnection } from './connection.ts';
import { describeServer } from './server-info.ts';

/**
 * The `maxmemory-policy` of each master, such as `noeviction`; `['']` where the servers, or what the ACL user may do, do not tell.
 *
 * @throws {TierkitError} `ERR_REDIS_UNAVAILABLE`, `ERR_REDIS_TIMEOUT`
 */
export async function memoryPolicies(redis: RedisConnection): Promise<readonly string[]> {
  try {
    return (await describeServer(redis)).nodes.map(({ maxMemoryPolicy }) => maxMemoryPolicy);
  } catch (error) {
    if (error instanceof TierkitError && error.code === 'ERR_REDIS_REPLY') return [''];
    throw error;
  }
}
