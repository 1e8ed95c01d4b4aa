import { TierkitError } from '@tierkit/core';

/** The codes of errors that this package throws; `ERR_KEY_INVALID` comes from core, `ERR_REDIS_OPTIONS` from redis. */
export type LimitErrorCode =
  /** A policy cannot be made so: its limit, period or name. */
  | 'ERR_LIMIT_POLICY'
  /** An option of a limiter or a guard is missing, unknown or wrong. */
  | 'ERR_LIMIT_OPTIONS'
  /** What was passed to a call is wrong: subject, cost, id, plan, limits or duration. */
  | 'ERR_LIMIT_ARGUMENT'
  /** Redis did not take a refund, block or reset, or may not have. */
  | 'ERR_LIMIT_UNAVAILABLE'
  /** The limiter was closed before the call. */
  | 'ERR_LIMIT_CLOSED'
  /** What should be an IP address, a network or a hop count is none. */
  | 'ERR_ADDRESS_INVALID';

export function limitError<Code extends LimitErrorCode>(
  code: Code,
  message: string,
  details: Readonly<Record<string, unknown>> = {},
): TierkitError<Code> {
  return new TierkitError(code, message, { details });
}

/** @throws {TierkitError} with the code and every fault, if there is one */
export function throwFaults(code: LimitErrorCode, what: string, faults: readonly string[]): void {
  if (faults.length > 0) throw limitError(code, `${what}: ${faults.join('; ')}`, { faults });
}
