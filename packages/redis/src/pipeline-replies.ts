import { TierkitError } from '@tierkit/core';
import { isOutage, translateRedisError } from './errors.ts';

/**
 * The replies of a pipeline's or transaction's `exec()`, with a `TierkitError` in the place of a command that failed.
 *
 * Use it inside `execute`, so that the breaker learns of failures that `exec()` reports as results.
 *
 * @throws {TierkitError} `ERR_REDIS_UNAVAILABLE` or `ERR_REDIS_TIMEOUT` if a command had no reply; others may have.
 */
export function pipelineReplies(results: readonly [error: Error | null, reply: unknown][] | null): unknown[] {
  if (results === null) return [];
  return results.map(([error, reply]) => {
    if (error === null || error === undefined) return reply;
    const translated = translateRedisError(error, (text) => text);
    if (isOutage(translated)) throw translated;
    return translated instanceof TierkitError ? translated : error;
  });
}
