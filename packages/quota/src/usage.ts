import type { TierkitError } from '@tierkit/core';
import type { PeriodNames } from './definitions/metrics.ts';

/** How much of a limit is used. */
export interface LimitUsage {
  readonly used: number;
  /** What holds take beside it. */
  readonly held: number;
  /** Infinity for none. */
  readonly limit: number;
  /** What is left of the limit, 0 at the least. */
  readonly remaining: number;
  /** When the period began, in milliseconds since 1970; 0 for a gauge. */
  readonly startMs: number;
  /** When the period ends; Infinity for a gauge. */
  readonly endMs: number;
  /** Until then, by Redis's clock. */
  readonly resetMs: number;
}

/** Of each metric, each of its periods: `usage.api_calls.day.remaining`; of a gauge `usage.stored_bytes.gauge`. */
export type Usage<M, Names extends keyof M = keyof M> = {
  readonly [Name in Names]: { readonly [P in PeriodNames<M[Name]>]: LimitUsage };
};

/** A past or running period. */
export interface PeriodUsage {
  readonly startMs: number;
  readonly endMs: number;
  readonly used: number;
}

/** Of each metric but gauges, its periods in a range, oldest first. */
export type UsageHistory<M> = {
  readonly [Name in keyof M as M[Name] extends { readonly gauge: true } ? never : Name]: {
    readonly [P in PeriodNames<M[Name]>]: readonly PeriodUsage[];
  };
};

/** The limit that refused an amount. */
export interface Refusal<M = Readonly<Record<string, unknown>>> {
  readonly metric: keyof M & string;
  /** The name of the period, `'gauge'` for a gauge. */
  readonly period: string;
  readonly requested: number;
  readonly limit: number;
  readonly remaining: number;
  /** Milliseconds until the period ends; Infinity where no time helps: for a gauge, and an amount above the limit. */
  readonly retryAfterMs: number;
  /** The amount is above the limit, so that no period will ever have room for it. */
  readonly never: boolean;
}

/** A part of a limit that was reached, once for each period. */
export interface QuotaThreshold {
  readonly subject: string;
  readonly metric: string;
  /** The name of the period, `'gauge'` for a gauge. */
  readonly period: string;
  /** The part of the limit, such as 0.8. */
  readonly threshold: number;
  readonly used: number;
  readonly limit: number;
  /** When the period ends, in milliseconds since 1970; Infinity for a gauge. */
  readonly endMs: number;
}

/** What came of a charge. */
export interface Charge<M, Names extends keyof M = keyof M> {
  /** Who decided. */
  readonly source: 'redis' | 'memory';
  /** Whether it was counted: in full, or with `overflow: 'partial'` as far as there was room. */
  readonly allowed: boolean;
  /** The id was counted before, and this is the answer that it got then. */
  readonly repeated: boolean;
  /** What was counted, or by `reserve` held. */
  readonly charged: { readonly [Name in Names]: number };
  /** Of the metrics of the call, after it. */
  readonly usage: Usage<M, Names>;
  /** What refused it. */
  readonly refusal?: Refusal<M>;
  /** Thresholds that it reached. */
  readonly crossed: readonly QuotaThreshold[];
}

/** Redis was away, and `onUnavailable` is `'allow'`: nothing is known and nothing was counted. */
export interface Uncounted {
  readonly source: 'none';
  readonly allowed: true;
  readonly repeated: false;
  readonly error: TierkitError<'ERR_QUOTA_UNAVAILABLE'>;
  readonly usage?: undefined;
  readonly charged?: undefined;
  readonly refusal?: undefined;
  readonly crossed?: undefined;
}

/** What a quota does while Redis is away. */
export type OnUnavailable = 'refuse' | 'allow';

export type ChargeResult<M, Names extends keyof M, Away> =
  | Charge<M, Names>
  | ('allow' extends Away ? Uncounted : never);
