import { LONGEST_TIMER_MS, parseDuration, TierkitError, type Duration } from '@tierkit/core';

/** How stale, slow, absent and failing values are dealt with; as tier options the defaults of each call. */
export interface StalenessOptions {
  /**
   * How long an entry stays after its time to live, as a stale one: `getOrSet` serves it when the loader fails or is
   * slow, and to the loader itself; for `get` and `has` it is a miss. @default 0
   */
  readonly grace?: Duration;
  /**
   * With a stale value at hand, `getOrSet` waits for its loader at most this long, then serves the stale value while the
   * load goes on; 0 serves it at once. @default false, which waits for the loader
   */
  readonly softTimeout?: Duration | false;
  /**
   * A loader that takes longer is given up: its signal aborts, and callers get the stale value or
   * `ERR_CACHE_LOAD_TIMEOUT`. @default false
   */
  readonly hardTimeout?: Duration | false;
  /**
   * From this part of the time to live on, above 0 and below 1, a `getOrSet` that is answered by the cache also starts
   * one load in the background. For an entry that another process loaded, the call's time to live counts. @default false
   */
  readonly refreshAhead?: number | false;
  /**
   * Takes up to this part off each time to live, at random, so that entries of one moment do not end at one moment;
   * from 0 to 1. @default 0
   */
  readonly jitter?: number;
  /**
   * Time to live of `ctx.absent()`; given to a call or a definition, also of what its loader of several keys answers with
   * undefined. @default the same as of values
   */
  readonly negativeTtl?: Duration;
  /** A read goes on without Redis after this; Redis's own deadline for a command still holds. @default false */
  readonly redisTimeout?: Duration | false;
}

/** Resolved options; durations in milliseconds. */
export interface LoadPolicy {
  readonly ttlMs: number;
  readonly graceMs: number;
  readonly softTimeoutMs: number | undefined;
  readonly hardTimeoutMs: number | undefined;
  readonly refreshAhead: number | undefined;
  readonly jitter: number;
  readonly negativeTtlMs: number | undefined;
  readonly redisTimeoutMs: number | undefined;
}

const NO_POLICY: Omit<LoadPolicy, 'ttlMs'> = {
  graceMs: 0,
  softTimeoutMs: undefined,
  hardTimeoutMs: undefined,
  refreshAhead: undefined,
  jitter: 0,
  negativeTtlMs: undefined,
  redisTimeoutMs: undefined,
};

/** @throws {TierkitError} `ERR_DURATION_INVALID`, `ERR_CACHE_OPTIONS` */
export function loadPolicy(options: StalenessOptions & { readonly ttl: Duration }, where: string): LoadPolicy {
  return callPolicy({ ttlMs: 1, ...NO_POLICY }, options, where);
}

/** What one call adds to its tier's policy. @throws {TierkitError} `ERR_DURATION_INVALID`, `ERR_CACHE_OPTIONS` */
export function callPolicy(
  base: LoadPolicy,
  options: (StalenessOptions & { readonly ttl?: Duration }) | undefined,
  where = '',
): LoadPolicy {
  if (options === undefined) return base;
  const { ttl, grace, softTimeout, hardTimeout, refreshAhead, jitter, negativeTtl, redisTimeout } = options;
  return {
    ttlMs: ttl === undefined ? base.ttlMs : parseMs(ttl, `${where}ttl`),
    graceMs: grace === undefined ? base.graceMs : parseMsOrZero(grace, `${where}grace`),
    softTimeoutMs: optional(softTimeout, base.softTimeoutMs, `${where}softTimeout`, parseTimerOrZero),
    hardTimeoutMs: optional(hardTimeout, base.hardTimeoutMs, `${where}hardTimeout`, parseTimer),
    refreshAhead: optional(refreshAhead, base.refreshAhead, `${where}refreshAhead`, refreshPart),
    jitter: jitter === undefined ? base.jitter : jitterPart(jitter, `${where}jitter`),
    negativeTtlMs: optional(negativeTtl, base.negativeTtlMs, `${where}negativeTtl`, parseMs),
    redisTimeoutMs: optional(redisTimeout, base.redisTimeoutMs, `${where}redisTimeout`, parseTimer),
  };
}

/** The time to live to store with. */
export function jittered(ttlMs: number, { jitter }: LoadPolicy): number {
  return jitter === 0 ? ttlMs : Math.max(1, Math.round(ttlMs * (1 - jitter * Math.random())));
}

/** How long before its end an entry is refreshed; nothing for a policy that does not. */
export function refreshMarginMs(ttlMs: number, { refreshAhead }: LoadPolicy): number {
  return refreshAhead === undefined ? 0 : ttlMs * (1 - refreshAhead);
}

function optional<T>(
  value: T | false | undefined,
  base: number | undefined,
  option: string,
  parse: (value: T, option: string) => number,
): number | undefined {
  if (value === undefined) return base;
  return value === false ? undefined : parse(value, option);
}

function parseMs(value: Duration, option: string): number {
  return Math.ceil(parseDuration(value, option));
}

function parseTimer(value: Duration, option: string): number {
  return parseDuration(value, option, { maxMs: LONGEST_TIMER_MS });
}

function parseTimerOrZero(value: Duration, option: string): number {
  return value === 0 ? 0 : parseTimer(value, option);
}

function parseMsOrZero(value: Duration, option: string): number {
  return value === 0 ? 0 : parseMs(value, option);
}

function refreshPart(value: number, option: string): number {
  if (typeof value === 'number' && value > 0 && value < 1) return value;
  throw invalid(option, 'takes a number above 0 and below 1, a part of the time to live');
}

function jitterPart(value: number, option: string): number {
  if (typeof value === 'number' && value >= 0 && value <= 1) return value;
  throw invalid(option, 'takes a number from 0 to 1, a part of the time to live');
}

function invalid(option: string, rule: string): TierkitError<'ERR_CACHE_OPTIONS'> {
  return new TierkitError('ERR_CACHE_OPTIONS', `${option} ${rule}`, { details: { option } });
}
