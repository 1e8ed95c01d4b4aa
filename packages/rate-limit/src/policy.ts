import type { Duration } from '@tierkit/core';
import type { Algorithm } from './algorithms/algorithm.ts';
import { fixedWindowAlgorithm } from './algorithms/fixed-window.ts';
import { levelAlgorithm } from './algorithms/level.ts';
import { slidingLogAlgorithm } from './algorithms/sliding-log.ts';
import { slidingWindowAlgorithm } from './algorithms/sliding-window.ts';
import { MOST_LOGGED, MOST_UNITS, PolicyCheck } from './policy-check.ts';

/** One rule of a limiter, made by {@link fixedWindow}, {@link slidingWindow}, {@link tokenBucket} or {@link gcra}. */
export interface Policy<Name extends string = string> {
  readonly name: Name;
  readonly kind: 'fixed-window' | 'sliding-window' | 'token-bucket' | 'gcra';
  /** The limit, or a bucket's capacity; a call may state another, to which refill and burst keep their proportion. */
  readonly limit: number;
  /** The period that the limit, or the refill, is stated for. */
  readonly perMs: number;
  /** The most that passes within any period of `perMs`, wherever it begins. */
  readonly worstPerWindow: number;
  /** @internal */
  readonly algorithm: Algorithm;
  /** @internal The highest limit that a call may state. */
  readonly mostLimit: number;
  /** @internal What scripts and meters are passed for a limit; the first is the most that can be counted at once. */
  readonly parameters: (limit: number) => readonly number[];
}

interface PolicyOptions<Name extends string> {
  /** What results and header fields call it; a limiter's policies have different names. @default its kind */
  readonly name?: Name;
}

export interface FixedWindowOptions<Name extends string = string> extends PolicyOptions<Name> {
  /** What passes in a window, a whole number. */
  readonly limit: number;
  /** How long a window lasts, from the first request in it. */
  readonly per: Duration;
}

export interface SlidingWindowOptions<Name extends string = string> extends PolicyOptions<Name> {
  /** What passes within any period of `per`, a whole number; with `exact` 1000 at the most. */
  readonly limit: number;
  readonly per: Duration;
  /** In how many slots the period is divided: what passed is free again up to one slot late. 2 to 60. @default 10 */
  readonly slots?: number;
  /** Keeps each request, 16 bytes in Redis, instead of slots: what passed is free again on the microsecond. @default false */
  readonly exact?: boolean;
}

export interface TokenBucketOptions<Name extends string = string> extends PolicyOptions<Name> {
  /** How many tokens the bucket holds, a whole number; it begins full. */
  readonly capacity: number;
  /** How many tokens come back, evenly, in each `per`. */
  readonly refill: number;
  readonly per: Duration;
}

export interface GcraOptions<Name extends string = string> extends PolicyOptions<Name> {
  /** What passes in each `per` in the long run, evenly spread; a whole number. */
  readonly limit: number;
  readonly per: Duration;
  /** What may pass at once after a rest, a whole number; 1 lets nothing pass ahead of its time. @default limit */
  readonly burst?: number;
}

const MOST_SLOTS = 60;

/**
 * At most `limit` in a window that begins with the first request in it.
 *
 * The cheapest to explain; around the end of a window twice the limit can pass within one period. Costs 26 bytes in Redis
 * beside the key.
 *
 * @throws {TierkitError} `ERR_LIMIT_POLICY` naming every fault
 */
export function fixedWindow<const Name extends string = 'fixed-window'>(
  options: FixedWindowOptions<Name>,
): Policy<Name> {
  const check = new PolicyCheck<Name>(options, 'fixedWindow', ['limit', 'per', 'name']);
  const limit = check.units('limit');
  const perMs = check.period();
  return check.made('fixed-window', limit, perMs, 2 * limit - 1, fixedWindowAlgorithm, (limit) => [
    limit,
    perMs * 1_000,
  ]);
}

/**
 * At most `limit` within any period of `per`, wherever it begins: the strict form, not the weighted average of two
 * windows, which can let nearly twice as much pass.
 *
 * @throws {TierkitError} `ERR_LIMIT_POLICY` naming every fault
 */
export function slidingWindow<const Name extends string = 'sliding-window'>(
  options: SlidingWindowOptions<Name>,
): Policy<Name> {
  const check = new PolicyCheck<Name>(options, 'slidingWindow', ['limit', 'per', 'slots', 'exact', 'name']);
  const exact = check.flag('exact');
  const limit = check.units('limit', exact ? MOST_LOGGED : MOST_UNITS);
  const perMs = check.period();
  const slots = options.slots === undefined ? 10 : check.whole('slots', 2, MOST_SLOTS);
  if (exact) {
    check.not(options.slots !== undefined, 'slots has no use with exact');
    return check.made('sliding-window', limit, perMs, limit, slidingLogAlgorithm, (limit) => [limit, perMs * 1_000]);
  }
  const widthUs = Math.ceil((perMs * 1_000) / slots);
  return check.made('sliding-window', limit, perMs, limit, slidingWindowAlgorithm(slots), (limit) => [limit, widthUs]);
}

/**
 * Takes tokens from a bucket of `capacity` into which `refill` come back per `per`, evenly.
 *
 * @throws {TierkitError} `ERR_LIMIT_POLICY` naming every fault
 */
export function tokenBucket<const Name extends string = 'token-bucket'>(
  options: TokenBucketOptions<Name>,
): Policy<Name> {
  const check = new PolicyCheck<Name>(options, 'tokenBucket', ['capacity', 'refill', 'per', 'name']);
  const capacity = check.units('capacity');
  const refill = check.units('refill');
  const perMs = check.period();
  const parameters = (limit: number): number[] => [limit, ((perMs * 1_000) / refill) * (capacity / limit)];
  return check.made('token-bucket', capacity, perMs, capacity + refill - 1, levelAlgorithm, parameters);
}

/**
 * Lets `limit` pass per `per`, evenly spread, and up to `burst` at once: the generic cell rate algorithm of ITU-T I.371.
 *
 * @throws {TierkitError} `ERR_LIMIT_POLICY` naming every fault
 */
export function gcra<const Name extends string = 'gcra'>(options: GcraOptions<Name>): Policy<Name> {
  const check = new PolicyCheck<Name>(options, 'gcra', ['limit', 'per', 'burst', 'name']);
  const limit = check.units('limit');
  const perMs = check.period();
  const burst = options.burst === undefined ? limit : check.units('burst');
  const burstOf = (of: number): number => Math.max(1, Math.floor((burst * of) / limit));
  const parameters = (limit: number): number[] => [burstOf(limit), (perMs * 1_000) / limit];
  return check.made('gcra', limit, perMs, limit + burst - 1, levelAlgorithm, parameters);
}
