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
import { Acquiring, closed } from './acquiring.ts';
import { lockError } from './errors.ts';
import { listLocks, type ListLocksOptions, type LockPage } from './lock-list.ts';
import { namedResource, resourceOf, type Kind, type ListedName } from './lock-name.ts';
import { acquireInOrder, type LockSet } from './lock-set.ts';
import type { HeldLock, Lock } from './lock.ts';
import type { Locks, LocksStats } from './locks.ts';
import { permitPlan, planOf, type AcquireOptions, type Plan, type RequestOptions, type TryOptions } from './options.ts';
import { Reentry, useLock } from './reentry.ts';
import type { Semaphore } from './semaphore.ts';
import type { LockState, LockStore } from './stores/lock-store.ts';

export interface LocksParts {
  readonly store: LockStore;
  readonly process: string;
  readonly defaults: Plan;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly closeConnections: () => Promise<void>;
}

/** A name that no other process has, and that holds no dot. */
export function processName(instance: string): string {
  const unique = randomBytes(9).toString('base64url');
  return instance === '' ? unique : `${instance}-${unique}`;
}

/** The calls, each with its arguments checked, on whatever store. */
export class StoreLocks implements Locks {
  readonly #parts: LocksParts;
  readonly #acquiring: Acquiring;
  readonly #reentry = new Reentry();
  #closing: Promise<void> | undefined;

  constructor(parts: LocksParts) {
    this.#parts = parts;
    this.#acquiring = new Acquiring(parts);
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
    const listed = { kind: 'semaphore', name: encodeKey(name) } as const;
    return {
      name: listed.name,
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
      inspect: () => this.inspect(listed),
      forceRelease: () => this.forceRelease(listed),
    };
  }

  async inspect(name: Key | ListedName): Promise<LockState> {
    return this.#store().inspect(namedResource(name));
  }

  async forceRelease(name: Key | ListedName): Promise<boolean> {
    return this.#store().forceRelease(namedResource(name));
  }

  async list(options: ListLocksOptions = {}): Promise<LockPage> {
    return listLocks(this.#store(), options);
  }

  stats(): LocksStats {
    return this.#acquiring.stats;
  }

  async ready(timeout: Duration = 5_000): Promise<void> {
    await this.#store().ready(parseDuration(timeout, 'timeout', { maxMs: LONGEST_TIMER_MS }));
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#acquiring.close();
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
    const acquire = (): Promise<HeldLock> => this.#acquiring.take(kind, this.#open(name, plan), plan);
    if (plan.reentrant) return this.#reentry.run(resourceOf(kind, encodeKey(name)), plan.shape, acquire, fn);
    return useLock(await acquire(), fn);
  }

  #acquire(kind: Kind, name: Key, options: AcquireOptions | undefined, defaults: Plan): Promise<HeldLock> {
    try {
      const plan = options === undefined ? defaults : planOf(options, defaults);
      return this.#acquiring.take(kind, this.#open(name, plan), plan);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async #tryAcquire(kind: Kind, name: Key, options: TryOptions | undefined, defaults: Plan): Promise<Lock | undefined> {
    const plan = options === undefined ? defaults : planOf(options, defaults);
    return this.#acquiring.try(kind, this.#open(name, plan), plan);
  }

  /** @returns the name, encoded @throws before anything is sent, what is wrong with the arguments */
  #open(name: Key, { signal }: Plan): string {
    const encoded = encodeKey(name);
    if (this.#closing !== undefined) throw closed();
    if (signal?.aborted === true) {
      throw lockError('ERR_LOCK_ABORTED', `the wait for ${encoded} was aborted`, { name: encoded }, signal.reason);
    }
    return encoded;
  }

  #store(): LockStore {
    if (this.#closing !== undefined) throw closed();
    return this.#parts.store;
  }
}
