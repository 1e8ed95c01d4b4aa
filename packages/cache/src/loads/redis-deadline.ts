import { TierkitError, type Clock } from '@tierkit/core';

/** What `answering` resolves to, unless that takes longer than `ms`; it goes on unheard then. */
export function withinRedisDeadline<T>(answering: Promise<T>, ms: number | undefined, clock: Clock): Promise<T> {
  if (ms === undefined) return answering;
  return new Promise((resolve, reject) => {
    const timer = clock.setTimeout(() => {
      reject(new TierkitError('ERR_CACHE_REDIS_TIMEOUT', `Redis did not answer within ${ms} ms`));
    }, ms);
    answering.then(resolve, reject).finally(() => timer.cancel());
  });
}
