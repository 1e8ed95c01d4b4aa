import type { Logger } from '@tierkit/core';
import { memoryPolicies, type RedisConnection } from '@tierkit/redis';

/**
 * Says in the log, once, that Redis may evict what is counted: all policies but `noeviction` may, as periods have a time to live.
 *
 * @returns what ends it
 */
export function warnOfEviction(redis: RedisConnection, logger: Logger): () => void {
  let known = false;
  const ask = async (): Promise<void> => {
    try {
      const policies = await memoryPolicies(redis);
      if (known) return;
      known = true;
      stop();
      const policy = policies.find((one) => one !== '' && one !== 'noeviction');
      if (policy === undefined) return;
      logger.warn(
        { policy },
        `Redis may evict what a quota has counted: its maxmemory-policy is ${policy}; use noeviction, or durableRedis`,
      );
    } catch {
      // It is asked again when Redis is back.
    }
  };
  const stop = redis.onStateChange((state) => {
    if (state === 'up') void ask();
  });
  if (redis.status === 'ready') void ask();
  return stop;
}
