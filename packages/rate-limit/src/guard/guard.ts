import { encodeSegment, TierkitError, type Duration } from '@tierkit/core';
import { createRedis, type RedisConnection } from '@tierkit/redis';
import { normalizeAddress } from '../address/normalize-address.ts';
import { limitError } from '../errors.ts';
import { isConnection } from '../limiter-options.ts';
import { FailureCount, type Standing } from './failure-count.ts';
import { resolveGuardOptions, type GuardOptions, type GuardSettings } from './guard-options.ts';
import { MemoryFailureStore } from './memory-failure-store.ts';
import { RedisFailureStore } from './redis-failure-store.ts';

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

/** Slows down whoever guesses passwords, tokens or codes. */
export interface Guard {
  readonly name: string;
  /** Whether an attempt may be made. @throws {TierkitError} `ERR_LIMIT_ARGUMENT`, `ERR_ADDRESS_INVALID`, `ERR_KEY_INVALID` */
  check(subject: GuardSubject): Promise<GuardVerdict>;
  /** Counts an attempt that failed, and says how things stand now. @throws as `check` */
  failed(subject: GuardSubject): Promise<GuardVerdict>;
  /**
   * Ends the account's failures in a row; its next block is as long as it would have been. The address's failures go on
   * counting: otherwise whoever has one account could guess at all others.
   *
   * @throws as `check`, and `ERR_LIMIT_UNAVAILABLE`: Redis did not confirm
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
 * Failures are counted one by one in Redis, by all processes together. Attempts that are under way at the same time have
 * all been checked before the first of them fails: as many more than `failures` can be made.
 *
 * @throws {TierkitError} `ERR_LIMIT_OPTIONS`, `ERR_REDIS_OPTIONS`
 */
export function createGuard(name: string, options: GuardOptions): Guard {
  const settings = resolveGuardOptions(name, options);
  return new FailureGuard(name, options.redis, settings);
}

interface Counted {
  readonly kind: 'account' | 'address';
  readonly key: string;
}

class FailureGuard implements Guard {
  readonly name: string;
  readonly #settings: GuardSettings;
  readonly #encodedName: string;
  readonly #redis: RedisConnection | undefined;
  readonly #owned: boolean;
  #closed = false;
  readonly #counts: { readonly account: FailureCount; readonly address: FailureCount };

  constructor(name: string, backend: GuardOptions['redis'], settings: GuardSettings) {
    this.name = name;
    this.#settings = settings;
    this.#encodedName = encodeSegment(name, "the guard's name");
    this.#owned = backend !== 'memory' && !isConnection(backend);
    this.#redis = backend === 'memory' ? undefined : isConnection(backend) ? backend : createRedis(backend);
    const store =
      this.#redis === undefined
        ? new MemoryFailureStore(settings.clock, settings.memorySubjects)
        : new RedisFailureStore(this.#redis);
    const keyPrefix = `${settings.prefix}guard`;
    this.#counts = {
      account: new FailureCount(store, keyPrefix, settings.account),
      address: new FailureCount(store, keyPrefix, settings.address),
    };
  }

  async check(subject: GuardSubject): Promise<GuardVerdict> {
    return this.#verdict(subject, (count, key) => count.standing(key));
  }

  async failed(subject: GuardSubject): Promise<GuardVerdict> {
    return this.#verdict(subject, (count, key) => count.failed(key));
  }

  async succeeded(subject: GuardSubject): Promise<void> {
    const kinds = this.#kinds(subject, 'account');
    if (kinds.length > 0) await this.#forget(kinds, false);
  }

  async reset(subject: GuardSubject): Promise<void> {
    await this.#forget(this.#kinds(subject), true);
  }

  async ready(timeout?: Duration): Promise<void> {
    this.#requireOpen();
    await this.#redis?.ready(timeout);
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#owned) await this.#redis?.close();
  }

  async #verdict(
    subject: GuardSubject,
    ask: (count: FailureCount, key: string) => Promise<Standing>,
  ): Promise<GuardVerdict> {
    const kinds = this.#kinds(subject);
    try {
      const standings = await Promise.all(
        kinds.map(async ({ kind, key }) => {
          const { blockedMs, left } = await ask(this.#counts[kind], key);
          return { kind, blockedMs, left };
        }),
      );
      const longest = standings.reduce((one, other) => (other.blockedMs > one.blockedMs ? other : one));
      return {
        allowed: longest.blockedMs === 0,
        retryAfterMs: longest.blockedMs,
        blocked: longest.blockedMs === 0 ? undefined : longest.kind,
        failuresLeft: Math.min(...standings.map(({ left }) => left)),
        source: this.#redis === undefined ? 'memory' : 'redis',
      };
    } catch (error) {
      this.#requireOpen();
      if (!(error instanceof TierkitError) || !error.code.startsWith('ERR_REDIS_')) throw error;
      const { logger, onUnavailable } = this.#settings;
      logger.warn({ guard: this.name, error, onUnavailable }, 'the guard has no answer from Redis');
      const allowed = onUnavailable === 'open';
      return { allowed, retryAfterMs: allowed ? 0 : 1_000, blocked: undefined, failuresLeft: 0, source: onUnavailable };
    }
  }

  async #forget(kinds: readonly Counted[], withBlocks: boolean): Promise<void> {
    try {
      await Promise.all(kinds.map(({ kind, key }) => this.#counts[kind].forget(key, withBlocks)));
    } catch (cause) {
      const details = cause instanceof TierkitError ? cause.details : {};
      throw new TierkitError('ERR_LIMIT_UNAVAILABLE', 'Redis did not confirm the change', { cause, details });
    }
  }

  #kinds(subject: GuardSubject, only?: 'account'): Counted[] {
    this.#requireOpen();
    if (typeof subject !== 'object' || subject === null)
      throw limitError('ERR_LIMIT_ARGUMENT', 'an account or an address is needed');
    const { account, address, ...rest } = subject;
    const [unknown] = Object.keys(rest);
    // A misspelt one would not be guarded.
    if (unknown !== undefined)
      throw limitError('ERR_LIMIT_ARGUMENT', `${unknown} is neither an account nor an address`);
    const { ipv6Prefix } = this.#settings;
    const kinds: Counted[] = [];
    const add = (kind: 'account' | 'address', subject: string): void =>
      void kinds.push({ kind, key: `{${this.#encodedName}:${kind}:${encodeSegment(subject, kind)}}` });
    if (account !== undefined) add('account', account);
    if (address !== undefined && only === undefined) add('address', normalizeAddress(address, { ipv6Prefix }));
    if (kinds.length === 0 && only === undefined)
      throw limitError('ERR_LIMIT_ARGUMENT', 'an account or an address is needed');
    return kinds;
  }

  #requireOpen(): void {
    if (this.#closed) throw limitError('ERR_LIMIT_CLOSED', `the guard ${this.name} is closed`);
  }
}
