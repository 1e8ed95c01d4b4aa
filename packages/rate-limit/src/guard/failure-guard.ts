import { encodeSegment, TierkitError, type Duration } from '@tierkit/core';
import { createRedis, type RedisConnection } from '@tierkit/redis';
import { normalizeAddress } from '../address/normalize-address.ts';
import { limitError } from '../errors.ts';
import { isConnection } from '../limiter-options.ts';
import type { Guard, GuardAttempt, GuardSubject, GuardVerdict } from './guard.ts';
import type { GuardOptions, GuardSettings } from './guard-options.ts';
import { FailureCount, type Standing } from './failure-count.ts';
import { MemoryFailureStore } from './memory-failure-store.ts';
import { RedisFailureStore } from './redis-failure-store.ts';

type Kind = 'account' | 'address';

interface Counted {
  readonly kind: Kind;
  readonly key: string;
}

type Stands = Standing & { readonly kind: Kind };

const nothing = async (): Promise<void> => {};

/** A guard, wired: who it is about, the counts, then what stands in for them. */
export class FailureGuard implements Guard {
  readonly name: string;
  readonly #settings: GuardSettings;
  readonly #encodedName: string;
  readonly #redis: RedisConnection | undefined;
  readonly #owned: boolean;
  readonly #counts: Readonly<Record<Kind, FailureCount>>;
  #closed = false;

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

  async attempt(subject: GuardSubject): Promise<GuardAttempt> {
    const kinds = this.#kinds(subject);
    const verdict = await this.#answered(() => this.#counted(kinds));
    const counted = verdict.allowed && verdict.source !== 'open';
    return { ...verdict, succeeded: counted ? () => this.#succeeded(kinds) : nothing };
  }

  async check(subject: GuardSubject): Promise<GuardVerdict> {
    const kinds = this.#kinds(subject);
    return this.#answered(() => Promise.all(kinds.map((one) => this.#ask('standing', one))));
  }

  async failed(subject: GuardSubject): Promise<GuardVerdict> {
    const kinds = this.#kinds(subject);
    return this.#answered(() => Promise.all(kinds.map((one) => this.#ask('failed', one))));
  }

  async succeeded(subject: GuardSubject): Promise<void> {
    const kinds = this.#kinds(subject).filter(({ kind }) => kind === 'account');
    await this.#changed(() => Promise.all(kinds.map(({ key }) => this.#counts.account.succeeded(key))));
  }

  async reset(subject: GuardSubject): Promise<void> {
    const kinds = this.#kinds(subject);
    await this.#changed(() => Promise.all(kinds.map(({ kind, key }) => this.#counts[kind].forget(key))));
  }

  async ready(timeout?: Duration): Promise<void> {
    this.#requireOpen();
    await this.#redis?.ready(timeout);
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#owned) await this.#redis?.close();
  }

  /** The address first: whoever is blocked there can use up no account's attempts. */
  async #counted(kinds: readonly Counted[]): Promise<readonly Stands[]> {
    const stands: Stands[] = [];
    for (const one of kinds.toReversed()) {
      const standing = await this.#ask('attempt', one);
      if (standing.blockedMs > 0) {
        await this.#takenBack(kinds.filter((other) => stands.some((counted) => counted.kind === other.kind)));
        return [standing];
      }
      stands.push(standing);
    }
    return stands;
  }

  /** Of an attempt that is not made. Without an answer it stays counted, which denies too much rather than too little. */
  async #takenBack(kinds: readonly Counted[]): Promise<void> {
    try {
      for (const { kind, key } of kinds) await this.#counts[kind].takeBack(key);
    } catch (error) {
      this.#settings.logger.warn({ guard: this.name, error }, 'an attempt that was denied stays counted');
    }
  }

  async #succeeded(kinds: readonly Counted[]): Promise<void> {
    this.#requireOpen();
    const { account, address } = this.#counts;
    await this.#changed(() =>
      Promise.all(kinds.map(({ kind, key }) => (kind === 'account' ? account.succeeded(key) : address.takeBack(key)))),
    );
  }

  async #ask(call: 'standing' | 'failed' | 'attempt', { kind, key }: Counted): Promise<Stands> {
    return { kind, ...(await this.#counts[kind][call](key)) };
  }

  async #answered(ask: () => Promise<readonly Stands[]>): Promise<GuardVerdict> {
    try {
      const stands = await ask();
      const longest = stands.reduce((one, other) => (other.blockedMs > one.blockedMs ? other : one));
      return {
        allowed: longest.blockedMs === 0,
        retryAfterMs: longest.blockedMs,
        blocked: longest.blockedMs === 0 ? undefined : longest.kind,
        failuresLeft: Math.min(...stands.map(({ left }) => left)),
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

  async #changed(change: () => Promise<unknown>): Promise<void> {
    try {
      await change();
    } catch (cause) {
      const details = cause instanceof TierkitError ? cause.details : {};
      throw new TierkitError('ERR_LIMIT_UNAVAILABLE', 'Redis did not confirm the change', { cause, details });
    }
  }

  /** The account, then the address. */
  #kinds(subject: GuardSubject): readonly Counted[] {
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
    const add = (kind: Kind, name: string): void =>
      void kinds.push({ kind, key: `{${this.#encodedName}:${kind}:${encodeSegment(name, kind)}}` });
    if (account !== undefined) add('account', account);
    if (address !== undefined) add('address', normalizeAddress(address, { ipv6Prefix }));
    if (kinds.length === 0) throw limitError('ERR_LIMIT_ARGUMENT', 'an account or an address is needed');
    return kinds;
  }

  #requireOpen(): void {
    if (this.#closed) throw limitError('ERR_LIMIT_CLOSED', `the guard ${this.name} is closed`);
  }
}
