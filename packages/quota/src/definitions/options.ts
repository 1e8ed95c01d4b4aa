import type { Clock, Duration, Logger, Telemetry } from '@tierkit/core';
import type { RedisConnection, RedisInput } from '@tierkit/redis';
import type { OnUnavailable, QuotaThreshold } from '../usage.ts';

/** A URL, options, a client or a connection; the text `'memory'` counts in this process alone. */
export type QuotaBackend = RedisInput | RedisConnection;

export interface QuotaOptions<Plan = unknown, Away extends OnUnavailable = OnUnavailable> {
  /** Where counts are kept: a Redis that evicts nothing. A connection that was made elsewhere is not closed with the quota. */
  readonly redis: QuotaBackend;
  /** Goes before every key: letters, digits and `_ . : -`. @default '' */
  readonly prefix?: string;
  /** The IANA name of the zone whose days and months are counted, or how it follows from a plan. @default 'UTC' */
  readonly timeZone?: string | ((plan: Plan) => string);
  /** The plan of a subject, for calls that are not given one. It is asked at every call that needs it: cache it. */
  readonly plan?: (subject: string) => Plan | Promise<Plan>;
  /** While Redis is away: reject with `ERR_QUOTA_UNAVAILABLE`, or allow without counting. @default 'refuse' */
  readonly onUnavailable?: Away;
  /** Parts of a limit at which `onThreshold` is called, for metrics that have none of their own. @default [0.8, 1] */
  readonly thresholds?: readonly number[];
  /**
   * Is called when a threshold is reached, by the process whose charge reached it. What it throws is logged. The signal is
   * aborted when the quota is closed and has waited 2 seconds for it.
   */
  readonly onThreshold?: (reached: QuotaThreshold, context: { readonly signal: AbortSignal }) => void | Promise<void>;
  /** How long an id is remembered, so that a repeat counts once. @default '1d' */
  readonly idTtl?: Duration;
  /** How long a hold lasts that `reserve` is not given a `ttl` for. @default '5m' */
  readonly holdTtl?: Duration;
  readonly logger?: Logger;
  /** Who is told numbers, durations and traces: one or several of `@tierkit/telemetry`. @default nobody */
  readonly telemetry?: Telemetry | readonly Telemetry[];
  /** In Redis, only a first guess at which period it is: Redis's own clock decides. */
  readonly clock?: Clock;
}
