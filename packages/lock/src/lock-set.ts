import { encodeKey, type Clock, type Duration, type Key } from '@tierkit/core';
import { lockError } from './errors.ts';
import type { Lock } from './lock.ts';
import { planOf, type AcquireOptions, type Plan } from './options.ts';

/** Several locks that are held together: when one is lost, the set is. */
export interface LockSet extends AsyncDisposable {
  /** In the order in which they were taken, each once. */
  readonly locks: readonly Lock[];
  /** Aborted when the first of them is lost. */
  readonly signal: AbortSignal;
  readonly held: boolean;
  /** @throws {TierkitError} `ERR_LOCK_LOST` or `ERR_LOCK_NOT_OWNED`, of the first that is not held */
  assertHeld(): void;
  /** @throws {TierkitError} as `extend` of a lock, of the first that fails */
  extend(ttl?: Duration): Promise<void>;
  /** @returns whether all of them were held until now @throws {TierkitError} as `release` of a lock, after all were tried */
  release(): Promise<boolean>;
}

interface InOrder {
  readonly clock: Clock;
  readonly defaults: Plan;
  readonly options: AcquireOptions;
  readonly acquire: (name: Key, options: AcquireOptions) => Promise<Lock>;
}

/** Takes the locks one after the other, in the order of their encoded names; what was taken is given back if one fails. */
export async function acquireInOrder(names: readonly Key[], context: InOrder): Promise<LockSet> {
  const { clock, defaults, options, acquire } = context;
  if (!Array.isArray(names) || names.length === 0) {
    throw lockError('ERR_LOCK_OPTIONS', 'a list of names that is not empty is needed');
  }
  const sorted = new Map((names as readonly Key[]).map((name) => [encodeKey(name), name]));
  const { timeoutMs } = planOf(options, defaults);
  const startMs = clock.monotonic();
  const locks: Lock[] = [];
  try {
    for (const [, name] of [...sorted].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const timeout = Math.max(1, Math.floor(timeoutMs - (clock.monotonic() - startMs)));
      locks.push(await acquire(name, { ...options, timeout }));
    }
    const set = new HeldLockSet(locks);
    set.assertHeld();
    return set;
  } catch (error) {
    await Promise.allSettled(locks.map((lock) => lock.release()));
    throw error;
  }
}

class HeldLockSet implements LockSet {
  readonly locks: readonly Lock[];
  #signal: AbortSignal | undefined;

  constructor(locks: readonly Lock[]) {
    this.locks = locks;
  }

  get signal(): AbortSignal {
    this.#signal ??= AbortSignal.any(this.locks.map(({ signal }) => signal));
    return this.#signal;
  }

  get held(): boolean {
    return this.locks.every(({ held }) => held);
  }

  assertHeld(): void {
    for (const lock of this.locks) lock.assertHeld();
  }

  async extend(ttl?: Duration): Promise<void> {
    await Promise.all(this.locks.map((lock) => lock.extend(ttl)));
  }

  async release(): Promise<boolean> {
    const results = await Promise.allSettled(this.locks.map((lock) => lock.release()));
    const failed = results.find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    return results.every((result) => result.status === 'fulfilled' && result.value);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const results = await Promise.allSettled(this.locks.map((lock) => lock[Symbol.asyncDispose]()));
    const failed = results.find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }
}
