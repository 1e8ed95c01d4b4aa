import { silentLogger, systemClock } from '@tierkit/core';
import { createRedis } from '@tierkit/redis';
import { expect } from 'vitest';
import type { LockRequest } from '../../src/stores/lock-store.ts';
import { RedisStore } from '../../src/stores/redis-store.ts';

/** Takes a lock as a request of somebody else does that the network has kept until now. */
export async function arrivesLate(url: string, request: LockRequest, prefix = ''): Promise<void> {
  const redis = createRedis(url);
  await redis.ready();
  const [process = ''] = request.owner.split('.');
  const store = new RedisStore(redis, { prefix, process, logger: silentLogger, clock: systemClock });
  expect((await store.take(request, 'wait')).token).toBeDefined();
  await store.close();
  await redis.close();
}
