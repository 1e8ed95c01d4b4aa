import { parseDuration, type Clock, type Duration, type Logger, type Telemetry, LONGEST_TIMER_MS } from '@tierkit/core';
import type { RedisConnection, RedisInput } from '@tierkit/redis';
import { lockError } from './errors.ts';
import type { Shape } from './stores/lock-store.ts';

/** Where locks are: exactly one of `redis` and `quorum`. */
export interface LocksOptions {
  /**
   * A URL, options, a client or a connection; `'memory'` for locks within this process. A connection that was made elsewhere is
   * not closed with the locks. Give it a Redis that evicts nothing.
   */
  readonly redis?: RedisInput | RedisConnection | undefined;
  /** An odd number of Redises, 3 at least, that do not replicate each other: a lock is held by whom most of them say. */
  readonly quorum?: readonly (RedisInput | RedisConnection)[] | undefined;
  /** Goes before every key and channel: letters, digits and `_ . : -`. @default '' */
  readonly prefix?: string | undefined;
  /** What `inspect` shows of this process, before some random letters: letters, digits, `_` and `-`. @default none */
  readonly instance?: string | undefined;
  /** How long a lock outlives its holder's process. @default '30s' */
  readonly ttl?: Duration | undefined;
  /** How long to wait for a lock. @default '10s' */
  readonly timeout?: Duration | undefined;
  /** @default silent */
  readonly logger?: Logger | undefined;
  /** Who is told numbers, durations and traces: one or several of `@tierkit/telemetry`. @default nobody */
  readonly telemetry?: Telemetry | readonly Telemetry[] | undefined;
  /** @default the system's */
  readonly clock?: Clock | undefined;
}

export interface TryOptions {
  /** How long the lock outlives a holder that stops renewing it, 20 ms to a day. @default that of the locks */
  readonly ttl?: Duration | undefined;
  /** Several can hold the lock in shared mode, or one in exclusive mode. @default 'exclusive' */
  readonly mode?: 'exclusive' | 'shared' | undefined;
  /** Whether it is extended by itself, three times within each `ttl`, until it is released. @default true */
  readonly renew?: boolean | undefined;
}

export interface AcquireOptions extends TryOptions {
  /** How long to wait for the lock. @default that of the locks */
  readonly timeout?: Duration | undefined;
  /** Ends the wait. What happens under the lock is not its business. */
  readonly signal?: AbortSignal | undefined;
}

export interface RequestOptions extends AcquireOptions {
  /**
   * Lets calls within `fn` that ask for the same lock, and say so as well, have it at once, by sharing the outer hold. They
   * are recognised by async context. @default false
   */
  readonly reentrant?: boolean | undefined;
}

export const MIN_TTL_MS = 20;
export const MAX_TTL_MS = 86_400_000;

/** Options of one call, checked. */
export interface Plan {
  readonly shape: Shape;
  readonly ttlMs: number;
  readonly timeoutMs: number;
  readonly renews: boolean;
  readonly reentrant: boolean;
  readonly signal: AbortSignal | undefined;
}

const LOCKS = new Set(['redis', 'quorum', 'prefix', 'instance', 'ttl', 'timeout', 'logger', 'telemetry', 'clock']);
const CALL = new Set(['ttl', 'mode', 'renew', 'timeout', 'signal', 'reentrant']);
const PREFIX = /^[\w.:-]*$/;
const INSTANCE = /^[\w-]{0,64}$/;

/** @throws {TierkitError} `ERR_LOCK_OPTIONS` naming every fault, or `ERR_DURATION_INVALID` */
export function checkLocksOptions(options: LocksOptions): Plan {
  const faults: string[] = [];
  if (typeof options !== 'object' || options === null) throw invalid(['an options object is needed']);
  for (const name of Object.keys(options)) if (!LOCKS.has(name)) faults.push(`${name} is not an option`);
  const { redis, quorum, prefix = '', instance = '' } = options;
  if ((redis === undefined) === (quorum === undefined)) faults.push('give either redis or quorum');
  if (quorum !== undefined && !Array.isArray(quorum)) faults.push('quorum must be a list of Redises');
  else if (quorum !== undefined && (quorum.length < 3 || quorum.length % 2 === 0)) {
    faults.push(`quorum takes an odd number of Redises, 3 at least, not ${quorum.length}: half is no majority`);
  }
  if (typeof prefix !== 'string' || !PREFIX.test(prefix)) faults.push('prefix takes letters, digits and _ . : -');
  if (typeof instance !== 'string' || !INSTANCE.test(instance)) {
    faults.push('instance takes letters, digits, _ and -, 64 at most');
  }
  if (faults.length > 0) throw invalid(faults);
  return {
    shape: 'x',
    ttlMs: ttlOf(options.ttl ?? 30_000),
    timeoutMs: parseDuration(options.timeout ?? 10_000, 'timeout', { maxMs: LONGEST_TIMER_MS }),
    renews: true,
    reentrant: false,
    signal: undefined,
  };
}

/** @throws {TierkitError} `ERR_LOCK_OPTIONS` naming every fault, or `ERR_DURATION_INVALID` */
export function planOf(options: RequestOptions, defaults: Plan): Plan {
  if (typeof options !== 'object' || options === null) throw invalid(['options must be an object']);
  const faults: string[] = [];
  for (const name of Object.keys(options)) if (!CALL.has(name)) faults.push(`${name} is not an option`);
  const { mode, ttl, timeout, renew = true, reentrant = false, signal } = options;
  if (mode !== undefined && mode !== 'exclusive' && mode !== 'shared') faults.push("mode is 'exclusive' or 'shared'");
  if (mode !== undefined && defaults.shape !== 'x') faults.push('a permit of a semaphore has no mode');
  if (typeof renew !== 'boolean') faults.push('renew is true or false');
  if (typeof reentrant !== 'boolean') faults.push('reentrant is true or false');
  if (signal !== undefined && !(signal instanceof AbortSignal)) faults.push('signal must be an AbortSignal');
  if (faults.length > 0) throw invalid(faults);
  return {
    shape: mode === 'shared' ? '0' : defaults.shape,
    ttlMs: ttl === undefined ? defaults.ttlMs : ttlOf(ttl),
    timeoutMs:
      timeout === undefined ? defaults.timeoutMs : parseDuration(timeout, 'timeout', { maxMs: LONGEST_TIMER_MS }),
    renews: renew,
    reentrant,
    signal,
  };
}

/** The plan for permits of a semaphore. @throws {TierkitError} `ERR_LOCK_OPTIONS` */
export function permitPlan(permits: number, defaults: Plan): Plan {
  if (!Number.isSafeInteger(permits) || permits < 1 || permits > 1_000_000) {
    throw invalid(['permits takes a whole number from 1 to 1000000']);
  }
  return { ...defaults, shape: `${permits}` };
}

const ttlOf = (ttl: Duration): number => parseDuration(ttl, 'ttl', { minMs: MIN_TTL_MS, maxMs: MAX_TTL_MS });

function invalid(faults: readonly string[]): Error {
  return lockError('ERR_LOCK_OPTIONS', faults.join('; '), { faults });
}
