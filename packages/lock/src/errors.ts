import { TierkitError } from '@tierkit/core';

/** The codes of errors that this package throws; `ERR_KEY_INVALID` and `ERR_DURATION_INVALID` come from core. */
export type LockErrorCode =
  /** An option is unknown, missing or of the wrong kind. */
  | 'ERR_LOCK_OPTIONS'
  /** Others held the lock for longer than the caller would wait. */
  | 'ERR_LOCK_TIMEOUT'
  /** The caller's signal ended the wait. */
  | 'ERR_LOCK_ABORTED'
  /** The lock was held, and is no longer known to be. */
  | 'ERR_LOCK_LOST'
  /** The lock was given back before. */
  | 'ERR_LOCK_NOT_OWNED'
  /** Redis could not be asked, or refused. */
  | 'ERR_LOCK_UNAVAILABLE'
  /** Too few of the independent Redises could be asked. */
  | 'ERR_LOCK_NO_QUORUM'
  /** `close()` was called. */
  | 'ERR_LOCK_CLOSED';

export function lockError<Code extends LockErrorCode>(
  code: Code,
  message: string,
  details: Readonly<Record<string, unknown>> = {},
  cause?: unknown,
): TierkitError<Code> {
  return new TierkitError(code, message, { details, cause });
}

/** What Redis or the connection reports, as an error of this package; errors of this package pass. */
export function unavailable(error: unknown): unknown {
  if (!(error instanceof TierkitError) || error.code.startsWith('ERR_LOCK_')) return error;
  const { applied = 'no' } = error.details;
  return lockError('ERR_LOCK_UNAVAILABLE', `the lock cannot be asked for: ${error.message}`, { applied }, error);
}

/** Whether what failed may have been applied, or may yet be. */
export function isDoubtful(error: unknown): boolean {
  return error instanceof TierkitError && error.details['applied'] === 'unknown';
}
