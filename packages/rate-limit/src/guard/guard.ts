import type { Duration } from '@tierkit/core';
import { FailureGuard } from './failure-guard.ts';
import { resolveGuardOptions, type GuardOptions } from './guard-options.ts';

/** Who tries: an account, an address, or both. */
export interface GuardSubject {
  /** As it was typed: the caller decides whether `Ann` and `ann` are one. */
  readonly account?: string;
  /** An IP address; IPv6 counts by its network. */
  readonly address?: string;
}

export interface GuardVerdict {
  /** Whether the attempt may be made; false while a subject is blocked. */
  readonly allowed: boolean;
  /** Milliseconds until no subject is blocked; 0 if none is. */
  readonly retryAfterMs: number;
  /** What is blocked, for the longer of two. */
  readonly blocked: 'account' | 'address' | undefined;
  /** Failures until the next block, of the subject that is nearer to it. */
  readonly failuresLeft: number;
  /** `'open'` or `'closed'`: Redis did not answer, and `onUnavailable` says so. */
  readonly source: 'redis' | 'memory' | 'open' | 'closed';
}

/** An attempt that counts as failed unless it is said to have succeeded. */
export interface GuardAttempt extends GuardVerdict {
  /**
   * Takes the attempt back, and ends the account's failures in a row: see `Guard.succeeded`. To be called once; it does
   * nothing where the attempt was denied, or not counted because Redis was away.
   *
   * @throws {TierkitError} `ERR_LIMIT_UNAVAILABLE`: Redis did not confirm; `ERR_LIMIT_CLOSED`
   */
  succeeded(): Promise<void>;
}

/** Slows down whoever guesses passwords, tokens or codes. */
export interface Guard {
  readonly name: string;
  /**
   * Asks whether an attempt may be made and counts it as failed, in one atomic step for the account and one for the address: no more
   * than `failures` are made before the block, however many try at once. What is denied prolongs nothing; whoever is
   * denied just when a block begins may be told the longest there is.
   *
   * Call `succeeded` of what it resolves to if the attempt succeeds, and nothing if it fails.
   *
   * @throws {TierkitError} `ERR_LIMIT_ARGUMENT`, `ERR_ADDRESS_INVALID`, `ERR_KEY_INVALID`, `ERR_LIMIT_CLOSED`
   */
  attempt(subject: GuardSubject): Promise<GuardAttempt>;
  /**
   * Whether an attempt may be made now. It counts nothing: whoever checks, tries and then calls `failed` lets through all who
   * check before the first of them has failed. @throws as `attempt`
   */
  check(subject: GuardSubject): Promise<GuardVerdict>;
  /** Counts a failure that was no `attempt`, and says how things stand now. @throws as `attempt` */
  failed(subject: GuardSubject): Promise<GuardVerdict>;
  /**
   * Ends the account's failures in a row; its next block is as long as it would have been. The address's failures go on
   * counting: otherwise whoever has one account could guess at all others.
   *
   * @throws as `attempt`, and `ERR_LIMIT_UNAVAILABLE`: Redis did not confirm
   */
  succeeded(subject: GuardSubject): Promise<void>;
  /** Forgets failures and blocks of both. @throws as `succeeded` */
  reset(subject: GuardSubject): Promise<void>;
  /** Resolves once Redis answers. @throws {TierkitError} `ERR_REDIS_UNAVAILABLE`: not within the timeout, 5 seconds by default; `ERR_LIMIT_CLOSED` */
  ready(timeout?: Duration): Promise<void>;
  /**
   * Ends a connection of its own. Later calls and those under way that Redis has not answered are rejected with
   * `ERR_LIMIT_CLOSED`. It may be called again.
   */
  close(): Promise<void>;
}

/**
 * A guard against brute force: after so many failures in a row an account, or an address, is blocked, each time for longer.
 *
 * Failures are counted one by one in Redis, by all processes together.
 *
 * @throws {TierkitError} `ERR_LIMIT_OPTIONS`, `ERR_REDIS_OPTIONS`
 */
export function createGuard(name: string, options: GuardOptions): Guard {
  const settings = resolveGuardOptions(name, options);
  return new FailureGuard(name, options.redis, settings);
}
