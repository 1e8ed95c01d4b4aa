import type { Duration } from '@tierkit/core';
import type { LimitResult } from './limit-result.ts';
import type { LimitsByPolicy } from './limiter-options.ts';
import type { Policy } from './policy.ts';

/** Which limits hold in a call. */
export interface CallOptions<Name extends string = string, Plan extends string = string> {
  /** One of the limiter's `plans`. @default the policies' own limits */
  readonly plan?: Plan | undefined;
  /** Limits for this call, which go before those of the plan. */
  readonly limits?: LimitsByPolicy<Name> | undefined;
}

export interface ConsumeOptions<Name extends string = string, Plan extends string = string> extends CallOptions<
  Name,
  Plan
> {
  /** How many units to take, a whole number above 0. @default 1 */
  readonly cost?: number | undefined;
  /** Makes a repeat safe: what was allowed under an id is allowed again and not counted again, for `idTtl`. */
  readonly id?: string | undefined;
}

export interface WaitOptions<Name extends string = string, Plan extends string = string> extends ConsumeOptions<
  Name,
  Plan
> {
  /** How long to wait at the most. @default '30s' */
  readonly timeout?: Duration | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Decides whether subjects (users, keys, addresses) may go on, by all policies together. */
export interface Limiter<Name extends string = string, Plan extends string = string> {
  readonly name: string;
  readonly policies: readonly Policy<Name>[];
  /**
   * Takes `cost` from all policies if all of them have it, else from none.
   *
   * One atomic step on Redis's clock and one round trip. A denial is a result, not an error, and costs the subject nothing.
   * Without an answer of Redis, `onUnavailable` decides, within the deadline.
   *
   * @throws {TierkitError} `ERR_LIMIT_ARGUMENT`, `ERR_KEY_INVALID` or `ERR_LIMIT_CLOSED`; nothing was counted
   */
  consume(subject: string, options?: ConsumeOptions<Name, Plan>): Promise<LimitResult<Name>>;
  /** What `consume` would answer now, without taking anything. @throws {TierkitError} as `consume` */
  peek(subject: string, options?: ConsumeOptions<Name, Plan>): Promise<LimitResult<Name>>;
  /**
   * Gives `cost` back, or with an `id` just what was taken under it, once. Never more than was taken.
   *
   * @returns whether anything was given back
   * @throws {TierkitError} `ERR_LIMIT_UNAVAILABLE`: it may have been or not; as `consume` besides
   */
  refund(subject: string, options?: ConsumeOptions<Name, Plan>): Promise<boolean>;
  /** Denies a subject everything from now on, for so long, instead of an earlier block. @throws as `refund` */
  block(subject: string, duration: Duration): Promise<void>;
  /** Forgets what a subject has taken, and its block. @throws as `refund` */
  reset(subject: string): Promise<void>;
  /**
   * Takes `cost` as soon as it can be had: resolves to the first result that is allowed, or to a denial as soon as it is
   * clear that the time left is too short. Within this process, those who wait for a subject are served in order.
   *
   * @throws the signal's reason once it is aborted; {TierkitError} as `consume`
   */
  wait(subject: string, options?: WaitOptions<Name, Plan>): Promise<LimitResult<Name>>;
  /** Resolves once Redis answers. @throws {TierkitError} `ERR_REDIS_UNAVAILABLE`: not within the timeout, 5 seconds by default; `ERR_LIMIT_CLOSED` */
  ready(timeout?: Duration): Promise<void>;
  /**
   * Ends connections and timers that the limiter made. Later calls and those under way that Redis has not answered are rejected with
   * `ERR_LIMIT_CLOSED`, whatever `onUnavailable` says. It may be called again.
   */
  close(): Promise<void>;
}
