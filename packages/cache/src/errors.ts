import { TierkitError } from '@tierkit/core';

/** The codes of errors that this package throws; `ERR_KEY_*`, `ERR_VALUE_*` and `ERR_DURATION_INVALID` come from core. */
export type CacheErrorCode =
  /** An option is missing or has a bad value. */
  | 'ERR_CACHE_OPTIONS'
  /** A cursor is none that a listing of keys gave. */
  | 'ERR_CACHE_CURSOR'
  /** The cache was closed before or during the call. */
  | 'ERR_CACHE_CLOSED'
  /** A loaded or given value does not pass its schema. */
  | 'ERR_CACHE_SCHEMA'
  /** A tag is no text of 1 to 512 characters, or there are too many. */
  | 'ERR_CACHE_TAGS'
  /** The source of a repository lacks the method that was called. */
  | 'ERR_CACHE_SOURCE'
  /** A change was `required`, and Redis did not confirm it. */
  | 'ERR_CACHE_UNCONFIRMED'
  /** A batch loader did not answer one value a key, or threw what is no Error. */
  | 'ERR_BATCH_RESULT'
  /** What a result is to be cached by is neither text nor bytes, or is too long. */
  | 'ERR_CONTENT_INVALID'
  /** A loader took longer than its `hardTimeout`. */
  | 'ERR_CACHE_LOAD_TIMEOUT'
  /** Another process failed to load the key a moment ago. */
  | 'ERR_CACHE_LOAD_FAILED'
  /** A loader called `ctx.notModified()` without a stale value. */
  | 'ERR_CACHE_NOTHING_STALE'
  /** Redis did not confirm a write behind; it may still take effect. */
  | 'ERR_WRITE_BEHIND_UNCONFIRMED'
  /** The queue holds as many keys as it may. */
  | 'ERR_WRITE_BEHIND_FULL'
  /** The key is pending in another queue. */
  | 'ERR_WRITE_BEHIND_QUEUE'
  /** Redis may evict what is written behind. */
  | 'ERR_WRITE_BEHIND_EVICTION'
  /** The queue is closed. */
  | 'ERR_WRITE_BEHIND_CLOSED'
  /** Logged only: Redis took longer than `redisTimeout`. */
  | 'ERR_CACHE_REDIS_TIMEOUT';

/** Of a change that Redis did not confirm. */
export function unconfirmedError(tier: string, operation: string, cause: unknown): TierkitError<CacheErrorCode> {
  const message = `Redis did not confirm the ${operation}; it may still take effect`;
  return new TierkitError('ERR_CACHE_UNCONFIRMED', message, { cause, details: { tier, operation } });
}
