import { TierkitError } from '@tierkit/core';

/** The codes of errors that this package throws; the README says what each means and what to do. */
export type QuotaErrorCode =
  /** Metrics or options are missing or have bad values. */
  | 'ERR_QUOTA_OPTIONS'
  /** An amount is none, or of a metric that is none. */
  | 'ERR_QUOTA_AMOUNTS'
  /** A limit from a plan, a call or `setLimits` is none. */
  | 'ERR_QUOTA_LIMIT'
  /** A limit, an anchor or the time zone depends on the plan, and there is none. */
  | 'ERR_QUOTA_PLAN'
  /** A time zone or an anchor is none, or the clocks are too far apart. */
  | 'ERR_QUOTA_PERIOD'
  /** A range is none, or has too many periods. */
  | 'ERR_QUOTA_RANGE'
  /** The id was used for something else. */
  | 'ERR_QUOTA_ID_CONFLICT'
  /** Redis is away. */
  | 'ERR_QUOTA_UNAVAILABLE'
  /** What stands in Redis under the quota's keys was not written by it. */
  | 'ERR_QUOTA_CORRUPT'
  /** The quota was closed. */
  | 'ERR_QUOTA_CLOSED';

export function quotaError<Code extends QuotaErrorCode>(
  code: Code,
  message: string,
  details: Readonly<Record<string, unknown>> = {},
): TierkitError<Code> {
  return new TierkitError(code, message, { details });
}

/** @param applied whether what was asked may have been done */
export function closedError(applied: unknown = 'no'): TierkitError<'ERR_QUOTA_CLOSED'> {
  return quotaError('ERR_QUOTA_CLOSED', 'The quota is closed', { applied });
}

/** Nothing was counted. */
export function corruptError(
  what: string,
  details: Readonly<Record<string, unknown>> = {},
): TierkitError<'ERR_QUOTA_CORRUPT'> {
  return quotaError('ERR_QUOTA_CORRUPT', `What Redis keeps ${what} was not written by a quota`, {
    ...details,
    applied: 'no',
  });
}
