import type { Duration, Key } from '@tierkit/core';
import type { ListLocksOptions, LockPage } from './lock-list.ts';
import type { ListedName } from './lock-name.ts';
import type { LockSet } from './lock-set.ts';
import type { Lock } from './lock.ts';
import type { AcquireOptions, RequestOptions, TryOptions } from './options.ts';
import type { Semaphore } from './semaphore.ts';
import type { LockState } from './stores/lock-store.ts';

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

  /**
   * Who has the lock and who waits for it, by the store's clock.
   *
   * @param name as it was given to `acquire`, or as `list` says it
   * @throws {TierkitError} `ERR_LOCK_UNAVAILABLE`, also for what no lock has written; `ERR_LOCK_CLOSED`
   */
  inspect(name: Key | ListedName): Promise<LockState>;

  /**
   * Takes the lock away from whoever has it, for operators: holders learn of it when they next extend it, after a third of their
   * time to live at the latest, and until then only fencing tokens keep them from overlapping with the next. What no lock has
   * written, so that nobody could take the lock, is removed and logged.
   *
   * @param name as of `inspect`
   * @returns whether there was anything of this @throws {TierkitError} `ERR_LOCK_UNAVAILABLE`, `ERR_LOCK_CLOSED`
   */
  forceRelease(name: Key | ListedName): Promise<boolean>;

  /**
   * One page of the locks and semaphores that somebody holds or waits for, in all processes.
   *
   * It looks at 10,000 keys of Redis at the most, whatever it finds, and in no order; what is held all the time comes at least
   * once. Memory gives names in order, each once. A quorum answers as its first node sees it.
   *
   * @throws {TierkitError} `ERR_LOCK_OPTIONS`, also for a cursor that no page gave; `ERR_LOCK_UNAVAILABLE`, `ERR_LOCK_CLOSED`
   */
  list(options?: ListLocksOptions): Promise<LockPage>;

  stats(): LocksStats;

  /**
   * Resolves once Redis answers.
   *
   * @param timeout @default 5 seconds
   * @throws {TierkitError} `ERR_LOCK_UNAVAILABLE`, `ERR_LOCK_CLOSED`
   */
  ready(timeout?: Duration): Promise<void>;

  /**
   * Ends all waits with `ERR_LOCK_CLOSED`, aborts the signals of what is held, and gives its holders half a second to release
   * it. What they do not release stays locked until its time to live has passed, since their work may still go on.
   */
  close(): Promise<void>;
}
