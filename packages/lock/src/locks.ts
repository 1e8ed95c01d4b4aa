import {
  encodeKey,
  LONGEST_TIMER_MS,
  parseDuration,
  type Clock,
  type Duration,
  type Key,
  type Logger,
} from '@tierkit/core';
import { randomBytes } from 'node:crypto';
import { isDoubtful, lockError } from './errors.ts';
import { Crowds } from './crowds.ts';
import { LeaseWatch } from './lease-watch.ts';
import { deadlineOf, HeldLock, type Lock, type LockContext } from './lock.ts';
import { acquireInOrder, type LockSet } from './lock-set.ts';
import { permitPlan, planOf, type AcquireOptions, type Plan, type RequestOptions, type TryOptions } from './options.ts';
import { Reentry, useLock } from './reentry.ts';
import type { Semaphore } from './semaphore.ts';
import type { LockRequest, LockState, LockStore } from './stores/lock-store.ts';
import { Waiting } from './waiting.ts';
import { Withdrawals } from './withdrawals.ts';

export interface LocksStats {
  readonly held: number;
  readonly waiting: number;
  /** Since these locks were made, as the following. */
  readonly acquired: number;
  /** How many of these had to wait. */
  readonly waited: number;
  readonly timeouts: number;
  readonly lost: number;
}

/**
 * Locks that no two holders have at once, across processes: fair, woken rather than polled, fenced, and lost by a deadline
 * that is known in advance.
 */
export interface Locks {
  /**
   * Runs `fn` while holding the lock, and settles as it does, once the lock has been given back.
   *
   * @throws {TierkitError} as `acquire`; and `ERR_LOCK_LOST` when `fn` succeeded, but the lock had been lost before: its work
   *   was not protected to the end.
   */
  request<T>(name: Key, fn: (lock: Lock) => Promise<T> | T): Promise<T>;
  request<T>(name: Key, options: RequestOptions, fn: (lock: Lock) => Promise<T> | T): Promise<T>;

  /**
   * Waits in line for the lock: one round trip if nobody has it.
   *
   * @throws {TierkitError} `ERR_LOCK_TIMEOUT`, `ERR_LOCK_ABORTED`, `ERR_LOCK_CLOSED`; `ERR_LOCK_UNAVAILABLE` when Redis is away as
   *   it begins, or still is when the timeout has passed; `ERR_LOCK_NO_QUORUM`; `ERR_LOCK_OPTIONS`, `ERR_DURATION_INVALID` or
   *   `ERR_KEY_INVALID`, and nothing was sent.
   */
  acquire(name: Key, options?: AcquireOptions): Promise<Lock>;

  /** The lock, or `undefined` if somebody has it or waits for it. @throws {TierkitError} as `acquire`, without a timeout */
  tryAcquire(name: Key, options?: TryOptions): Promise<Lock | undefined>;

  /**
   * All of the locks or none, within one timeout. They are taken in one order by everybody, so that no two callers can wait for
   * each other.
   *
   * @throws {TierkitError} as `acquire`
   */
  acquireAll(names: readonly Key[], options?: AcquireOptions): Promise<LockSet>;

  /** So many holders at once; everybody has to name the same number. @throws {TierkitError} `ERR_LOCK_OPTIONS` */
  semaphore(name: Key, permits: number): Semaphore;

  /** Who has the lock and who waits for it, by the store's clock. @throws {TierkitError} `ERR_LOCK_UNAVAILABLE` */
  inspect(name: Key): Promise<LockState>;

  /**
   * Takes the lock away from whoever has it, for operators: holders learn of it when they next extend it, after a third of their
   * time to live at the latest, and until then only fencing tokens keep them from overlapping with the next.
   *
   * @returns whether anybody had it @throws {TierkitError} `ERR_LOCK_UNAVAILABLE`
   */
  forceRelease(name: Key): Promise<boolean>;

  stats(): LocksStats;

  /** Resolves once Redis answers. @param timeout @default 5 seconds @throws {TierkitError} `ERR_LOCK_UNAVAILABLE` */
  ready(timeout?: Duration): Promise<void>;

  /**
   * Ends all waits with `ERR_LOCK_CLOSED`, aborts the signals of what is held, and gives its holders half a second to release
   * it. What they do not release stays locked until its time to live has passed, since their work may still go on.
   */
  close(): Promise<void>;
}

export interface LocksParts {
  readonly store: LockStore;
  readonly process: string;
  readonly defaults: Plan;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly closeConnections: () => Promise<void>;
}

const CLOSE_GRACE_MS = 500;

/** A name that no other process has, and that holds no dot. */
export function processName(instance: string): string {
  const unique = randomBytes(9).toString('base64url');
  return instance === '' ? unique : `${instance}-${unique}`;
}

export class StoreLocks implements Locks {
  readonly #parts: LocksParts;
  readonly #context: LockContext;
  readonly #watch: LeaseWatch;
  readonly #withdrawals: Withdrawals;
  readonly #waiting = new Map<Waiting, Promise<void>>();
  readonly #crowds = new Crowds();
  readonly #reentry = new Reentry();
  readonly #stats = { acquired: 0, waited: 0, timeouts: 0, lost: 0 };
  #owners = 0;
  /** Requests for a lock, other than those of waiters, that are under way. */
  #asking = 0;
  #closing: Promise<void> | undefined;
  #released: (() => void) | undefined;

  constructor(parts: LocksParts) {
    const { store, clock, logger } = parts;
    this.#parts = parts;
    this.#watch = new LeaseWatch(clock);
    this.#withdrawals = new Withdrawals(clock);
    this.#context = { store, clock, logger, watch: this.#watch, onEnd: (lost) => this.#ended(lost) };
  }

  request<T>(
    name: Key,
    optionsOrFn: RequestOptions | ((lock: Lock) => Promise<T> | T),
    fn?: (lock: Lock) => Promise<T> | T,
  ): Promise<T> {
    const [options, work] = typeof optionsOrFn === 'function' ? [{}, optionsOrFn] : [optionsOrFn, fn];
    return this.#request('lock', name, options, this.#parts.defaults, work);
  }

  acquire(name: Key, options?: AcquireOptions): Promise<Lock> {
    return this.#acquire('lock', name, options, this.#parts.defaults);
  }

  tryAcquire(name: Key, options?: TryOptions): Promise<Lock | undefined> {
    return this.#tryAcquire('lock', name, options, this.#parts.defaults);
  }

  acquireAll(names: readonly Key[], options: AcquireOptions = {}): Promise<LockSet> {
    const { clock, defaults } = this.#parts;
    return acquireInOrder(names, { clock, defaults, options, acquire: (name, given) => this.acquire(name, given) });
  }

  semaphore(name: Key, permits: number): Semaphore {
    const plan = permitPlan(permits, this.#parts.defaults);
    const resource = resourceOf('semaphore', encodeKey(name));
    return {
      name: encodeKey(name),
      permits,
      request: <T>(
        optionsOrFn: RequestOptions | ((permit: Lock) => Promise<T> | T),
        fn?: (permit: Lock) => Promise<T> | T,
      ) => {
        const [options, work] = typeof optionsOrFn === 'function' ? [{}, optionsOrFn] : [optionsOrFn, fn];
        return this.#request('semaphore', name, options, plan, work);
      },
      acquire: (options) => this.#acquire('semaphore', name, options, plan),
      tryAcquire: (options) => this.#tryAcquire('semaphore', name, options, plan),
      inspect: () => this.#parts.store.inspect(resource),
      forceRelease: () => this.#parts.store.forceRelease(resource),
    };
  }

  async inspect(name: Key): Promise<LockState> {
    return this.#parts.store.inspect(resourceOf('lock', encodeKey(name)));
  }

  async forceRelease(name: Key): Promise<boolean> {
    return this.#parts.store.forceRelease(resourceOf('lock', encodeKey(name)));
  }

  stats(): LocksStats {
    return { held: this.#watch.size, waiting: this.#waiting.size, ...this.#stats };
  }

  async ready(timeout: Duration = 5_000): Promise<void> {
    await this.#parts.store.ready(parseDuration(timeout, 'timeout', { maxMs: LONGEST_TIMER_MS }));
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const reason = closed();
    for (const waiting of this.#waiting.keys()) waiting.end(reason);
    for (const held of this.#watch.all) (held as HeldLock).interrupt(reason);
    if (this.#watch.size > 0 || this.#asking > 0) {
      await new Promise<void>((resolve) => {
        // The clock's timers let the process end.
        const alive = setInterval(() => {}, LONGEST_TIMER_MS);
        const done = (): void => {
          timer.cancel();
          clearInterval(alive);
          resolve();
        };
        const timer = this.#parts.clock.setTimeout(done, CLOSE_GRACE_MS);
        this.#released = done;
      });
    }
    this.#watch.stop();
    await Promise.all(this.#waiting.values());
    await this.#withdrawals.close();
    await this.#parts.store.close();
    await this.#parts.closeConnections();
  }

  async #request<T>(
    kind: Kind,
    name: Key,
    options: RequestOptions,
    defaults: Plan,
    fn: ((lock: Lock) => Promise<T> | T) | undefined,
  ): Promise<T> {
    if (typeof fn !== 'function') throw lockError('ERR_LOCK_OPTIONS', 'a function to run under the lock is needed');
    const plan = planOf(options, defaults);
    const acquire = (): Promise<HeldLock> => this.#take(kind, name, plan);
    if (plan.reentrant) return this.#reentry.run(resourceOf(kind, encodeKey(name)), plan.shape, acquire, fn);
    return useLock(await acquire(), fn);
  }

  #acquire(kind: Kind, name: Key, options: AcquireOptions | undefined, defaults: Plan): Promise<HeldLock> {
    try {
      return this.#take(kind, name, options === undefined ? defaults : planOf(options, defaults));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async #tryAcquire(kind: Kind, name: Key, options: TryOptions | undefined, defaults: Plan): Promise<Lock | undefined> {
    const plan = options === undefined ? defaults : planOf(options, defaults);
    const encoded = this.#open(name, plan);
    const request = this.#requestOf(kind, encoded, plan);
    const sentMs = this.#parts.clock.monotonic();
    this.#asking++;
    const taking = await this.#parts.store.take(request, 'try').then(
      (taken) => {
        this.#answered();
        return taken;
      },
      (error: unknown) => this.#failed(request, error),
    );
    if (taking.token === undefined) return undefined;
    if (this.#tooLate(sentMs, plan)) {
      this.#withdraw(request, false);
      throw lockError('ERR_LOCK_TIMEOUT', `${encoded} had run out before the reply could be read`);
    }
    return this.#hold(encoded, request, taking.token, sentMs, plan);
  }

  /** @throws before anything is sent, what is wrong with the arguments */
  #take(kind: Kind, name: Key, plan: Plan): Promise<HeldLock> {
    const encoded = this.#open(name, plan);
    const request = this.#requestOf(kind, encoded, plan);
    const sentMs = this.#parts.clock.monotonic();
    if (this.#crowds.has(request.resource, sentMs)) return this.#wait(encoded, request, sentMs, plan, true);
    this.#asking++;
    return this.#parts.store.take(request, 'try').then(
      (taking) => {
        this.#answered();
        return taking.token !== undefined && !this.#tooLate(sentMs, plan)
          ? this.#hold(encoded, request, taking.token, sentMs, plan)
          : this.#wait(encoded, request, sentMs, plan, false);
      },
      (error: unknown) => this.#failed(request, error),
    );
  }

  #open(name: Key, { signal }: Plan): string {
    const encoded = encodeKey(name);
    if (this.#closing !== undefined) throw closed();
    if (signal?.aborted === true) {
      throw lockError('ERR_LOCK_ABORTED', `the wait for ${encoded} was aborted`, { name: encoded }, signal.reason);
    }
    return encoded;
  }

  #requestOf(kind: Kind, encoded: string, plan: Plan): LockRequest {
    const owner = `${this.#parts.process}.${this.#owners++}`;
    return { resource: resourceOf(kind, encoded), owner, shape: plan.shape, ttlMs: plan.ttlMs };
  }

  #withdraw(request: LockRequest, doubtful: boolean): void {
    this.#withdrawals.add(() => this.#parts.store.withdraw(request), request.ttlMs, doubtful);
  }

  #failed(request: LockRequest, error: unknown): never {
    this.#answered();
    if (isDoubtful(error)) this.#withdraw(request, true);
    throw error;
  }

  #tooLate(sentMs: number, { ttlMs }: Plan): boolean {
    return this.#parts.clock.monotonic() >= deadlineOf(sentMs, ttlMs);
  }

  #hold(name: string, request: LockRequest, token: string, sentMs: number, plan: Plan): HeldLock {
    // Nobody would tell its holder that the locks are closed.
    if (this.#closing !== undefined) {
      this.#withdraw(request, false);
      throw closed();
    }
    this.#stats.acquired++;
    return new HeldLock(this.#context, { name, request, token, sentMs, renews: plan.renews });
  }

  async #wait(name: string, request: LockRequest, startMs: number, plan: Plan, first: boolean): Promise<HeldLock> {
    if (this.#closing !== undefined) {
      this.#withdraw(request, false);
      throw closed();
    }
    const { store, clock } = this.#parts;
    const { timeoutMs, signal } = plan;
    const giveUpAtMs = startMs + timeoutMs;
    const waiting = new Waiting({ store, clock, request, name, signal, timeoutMs, giveUpAtMs, first });
    if (!first) this.#crowds.note(request.resource, startMs);
    const ended = waiting.run().then((left) => {
      if (left) this.#withdraw(request, waiting.doubtful);
      this.#waiting.delete(waiting);
    });
    this.#waiting.set(waiting, ended);
    try {
      const { token, sentMs, waited } = await waiting.outcome;
      if (waited) {
        this.#stats.waited++;
        this.#crowds.note(request.resource, sentMs);
      }
      return this.#hold(name, request, token, sentMs, plan);
    } catch (error) {
      if ((error as { code?: string }).code === 'ERR_LOCK_TIMEOUT') this.#stats.timeouts++;
      throw error;
    }
  }

  #ended(lost: boolean): void {
    if (lost) this.#stats.lost++;
    this.#ceased();
  }

  #answered(): void {
    this.#asking--;
    this.#ceased();
  }

  #ceased(): void {
    if (this.#watch.size === 0 && this.#asking === 0) this.#released?.();
  }
}

type Kind = 'lock' | 'semaphore';

const resourceOf = (kind: Kind, encoded: string): string => `${kind}:{${encoded}}`;
const closed = (): Error => lockError('ERR_LOCK_CLOSED', 'the locks are closed');
