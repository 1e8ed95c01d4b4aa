import type { Duration } from '@tierkit/core';
import type { CommitOptions, Reservation, SettlementResult } from './hold.ts';
import type { Amounts, LimitChanges, Limits } from './definitions/metrics.ts';
import type { Overflow } from './stores/quota-store.ts';
import type { ChargeResult, OnUnavailable, Usage, UsageHistory } from './usage.ts';

/** Who is counted: a user, a tenant, a provider. */
export type Subject = string | number;

/** What a call knows of its subject. */
export interface SubjectOptions<M, Plan> {
  /** The subject's plan. @default what the quota's `plan` says */
  readonly plan?: Plan;
  /** Limits that go before those that are stored, and those before the plan's. */
  readonly limits?: Limits<M>;
}

export interface AddOptions<M, Plan> extends SubjectOptions<M, Plan> {
  /** Names the charge: a repeat counts once and gets the same answer, for `idTtl`. */
  readonly id?: string | number;
  /** What happens to amounts that do not fit. @default that of each metric */
  readonly overflow?: Overflow;
}

export interface ReserveOptions<M, Plan> extends AddOptions<M, Plan> {
  /** How long the hold lasts. @default `holdTtl` of the quota, 5 minutes */
  readonly ttl?: Duration;
}

export interface HistoryOptions<Plan, Names = string> {
  /** Milliseconds since 1970 or a date; the period that this falls into is the first one. */
  readonly from: number | Date;
  /** The last period is the one that ends then or later. @default now */
  readonly to?: number | Date;
  /** @default all that are counted by period */
  readonly metrics?: readonly Names[];
  readonly plan?: Plan;
}

/** Metrics that are counted by period: all but gauges. */
type Counted<M> = { [Name in keyof M]: M[Name] extends { readonly gauge: true } ? never : Name }[keyof M];

export interface ResetOptions<Plan, Names = string> {
  /** @default all that are counted by period */
  readonly metrics?: readonly Names[];
  readonly plan?: Plan;
}

type Named<M, A> = keyof A & keyof M;

/**
 * Counts what subjects use against their limits, by period.
 *
 * Every call is decided on at once for all of its metrics and periods, for all processes that share a Redis, by Redis's
 * clock. While Redis is away, calls reject with `ERR_QUOTA_UNAVAILABLE`, whose `details.applied` says whether they may
 * have been counted; with `onUnavailable: 'allow'`, `add`, `reserve` and what settles its hold are allowed and not counted.
 */
export interface Quota<M, Plan = unknown, Away extends OnUnavailable = 'refuse'> {
  /**
   * Counts amounts against all limits of their metrics, or none of them. What is refused costs nothing.
   *
   * An amount of a gauge may be negative, to give back; it does not fall below 0.
   *
   * @throws {TierkitError} `ERR_QUOTA_AMOUNTS`, `ERR_QUOTA_LIMIT`, `ERR_QUOTA_PLAN`, `ERR_QUOTA_PERIOD`, `ERR_KEY_INVALID`:
   *   nothing was sent
   * @throws {TierkitError} `ERR_QUOTA_ID_CONFLICT`: the id stands for other amounts; nothing was counted
   * @throws {TierkitError} `ERR_QUOTA_UNAVAILABLE`, `ERR_QUOTA_CLOSED`
   * @throws {TierkitError} `ERR_QUOTA_CORRUPT`: what Redis keeps of the subject was not written by a quota; nothing was counted
   */
  add<A extends Amounts<M>>(
    subject: Subject,
    amounts: A,
    options?: AddOptions<M, Plan>,
  ): Promise<ChargeResult<M, Named<M, A>, Away>>;

  /**
   * Keeps room for amounts that are not known yet, at most these. The hold counts against the limits until it is
   * committed, released, or expires.
   *
   * @throws {TierkitError} as `add`
   */
  reserve<A extends Amounts<M>>(
    subject: Subject,
    amounts: A,
    options?: ReserveOptions<M, Plan>,
  ): Promise<Reservation<M, Named<M, A>, Away>>;

  /**
   * Ends a hold and counts what was really used, in the periods in which it was made. Repeated, it counts once.
   *
   * What is used beyond the hold has to fit like any amount; metrics that are not given count as held.
   *
   * @throws {TierkitError} as `add`; `ERR_QUOTA_AMOUNTS` also for a metric that the hold does not have
   */
  commit(
    subject: Subject,
    id: string | number,
    actual?: Amounts<M>,
    options?: CommitOptions & SubjectOptions<M, Plan>,
  ): Promise<SettlementResult<M, keyof M, Away>>;

  /** Ends a hold and counts nothing. @throws {TierkitError} `ERR_QUOTA_UNAVAILABLE` */
  release(subject: Subject, id: string | number): Promise<SettlementResult<M, keyof M, Away>>;

  /**
   * Sets gauges to what they really are, limits or not.
   *
   * @throws {TierkitError} as `add`; it is never allowed without being counted
   */
  set<A extends Amounts<M>>(
    subject: Subject,
    gauges: A,
    options?: SubjectOptions<M, Plan>,
  ): Promise<Usage<M, Named<M, A>>>;

  /**
   * Lets a subject begin its current periods anew: what was used in them, and which thresholds it reached, is forgotten at once.
   *
   * Numbers that no quota wrote are removed as well. Gauges, holds, stored limits and past periods stay. So do ids: a repeat of a charge from before counts nothing.
   *
   * @throws {TierkitError} `ERR_QUOTA_AMOUNTS` for a gauge and for no metric; otherwise as `usage`
   */
  reset<Names extends Counted<M> = Counted<M>>(
    subject: Subject,
    options?: ResetOptions<Plan, Names>,
  ): Promise<Usage<M, Names>>;

  /** What is used now, of every metric. @throws {TierkitError} as `add` */
  usage(subject: Subject, options?: SubjectOptions<M, Plan>): Promise<Usage<M>>;
  /**
   * What was used in the periods of a range, as far back as 35 days before the last end of each.
   *
   * @throws {TierkitError} `ERR_QUOTA_RANGE`: no range, or more than 1,000 periods of one
   *   kind; otherwise as `add`
   */
  usage<Names extends keyof M = keyof M>(
    subject: Subject,
    range: HistoryOptions<Plan, Names>,
  ): Promise<UsageHistory<Pick<M, Names>>>;

  /**
   * Stores limits of a subject, which go before its plan's for all processes; null removes one.
   *
   * @throws {TierkitError} `ERR_QUOTA_LIMIT`, `ERR_KEY_INVALID`, `ERR_QUOTA_UNAVAILABLE`
   */
  setLimits(subject: Subject, limits: LimitChanges<M>): Promise<void>;

  /** Resolves once Redis answers. @param timeout How long to wait. @default 5 seconds @throws {TierkitError} `ERR_QUOTA_UNAVAILABLE` */
  ready(timeout?: Duration): Promise<void>;
  /**
   * Waits for `onThreshold`, 2 seconds at the most, then ends a connection of its own. From the first call on, all others reject
   * with `ERR_QUOTA_CLOSED`, also where `onUnavailable` is `'allow'`. It may be called again.
   */
  close(): Promise<void>;
}
