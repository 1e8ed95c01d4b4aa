import { LONGEST_TIMER_MS, type Clock } from '@tierkit/core';
import {
  modeOf,
  MOST_SHOWN,
  type Attendance,
  type LockRequest,
  type LockState,
  type LockStore,
  type Shape,
  type StoredLock,
  type StoredPage,
  type Taking,
} from './lock-store.ts';

interface Holder {
  readonly shape: Shape;
  readonly token: string;
  endsAtMs: number;
}

interface MemoryLock {
  readonly holders: Map<string, Holder>;
  /** In the order of arrival. */
  readonly queue: Map<string, LockRequest>;
}

const CURSOR = /^m([\w-]{1,4000})$/;

/** Locks of one process. A waiter whose turn comes has the lock from then on; nobody freezes apart from the others. */
export class MemoryStore implements LockStore {
  readonly #clock: Clock;
  readonly #locks = new Map<string, MemoryLock>();
  readonly #attending = new Map<string, () => void>();
  #lastToken = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async take(request: LockRequest, manner: 'try' | 'wait'): Promise<Taking> {
    const lock = this.#open(request.resource);
    const { owner, ttlMs } = request;
    const mine = lock.holders.get(owner);
    if (mine !== undefined) {
      mine.endsAtMs = this.#clock.monotonic() + ttlMs;
      return { token: mine.token };
    }
    if (manner === 'wait' && !lock.queue.has(owner)) lock.queue.set(owner, request);
    this.#serve(lock, owner);
    if (manner === 'try' && lock.queue.size === 0 && fits(lock, request.shape)) this.#hold(lock, request);
    const taken = lock.holders.get(owner);
    if (taken !== undefined) return { token: taken.token };
    let firstMs = Infinity;
    for (const { endsAtMs } of lock.holders.values()) firstMs = Math.min(firstMs, endsAtMs);
    return { token: undefined, retryInMs: Math.max(1, firstMs - this.#clock.monotonic()) };
  }

  async extend({ resource, owner, ttlMs }: LockRequest): Promise<boolean> {
    const holder = this.#locks.get(resource)?.holders.get(owner);
    if (holder === undefined) return false;
    holder.endsAtMs = this.#clock.monotonic() + ttlMs;
    return true;
  }

  async release(request: LockRequest): Promise<boolean> {
    return this.withdraw(request);
  }

  async withdraw({ resource, owner }: LockRequest): Promise<boolean> {
    const lock = this.#locks.get(resource);
    if (lock === undefined) return false;
    lock.queue.delete(owner);
    const held = lock.holders.delete(owner);
    this.#serve(lock);
    this.#forget(resource, lock);
    return held;
  }

  attend({ owner }: LockRequest, wake: () => void): Attendance {
    this.#attending.set(owner, wake);
    // The clock's timers let the process end, and somebody waits.
    const alive = setInterval(() => {}, LONGEST_TIMER_MS);
    return {
      ready: Promise.resolve(),
      leave: () => {
        clearInterval(alive);
        this.#attending.delete(owner);
      },
    };
  }

  async inspect(resource: string): Promise<LockState> {
    const lock = this.#locks.get(resource);
    if (lock !== undefined) this.#expire(lock);
    const holders = [...(lock?.holders ?? [])].slice(0, MOST_SHOWN).map(([owner, { shape, token, endsAtMs }]) => ({
      owner,
      mode: modeOf(shape),
      token: BigInt(token),
      ttlMs: Math.ceil(endsAtMs - this.#clock.monotonic()),
    }));
    const waiters = [...(lock?.queue.values() ?? [])].map(({ owner, shape }) => ({ owner, mode: modeOf(shape) }));
    return {
      holders,
      waiters: waiters.slice(0, MOST_SHOWN),
      waiting: waiters.length,
      lastToken: BigInt(this.#lastToken),
    };
  }

  /** In the order of their names, each once. */
  async list(limit: number, cursor: string | undefined): Promise<StoredPage | undefined> {
    const after = cursor === undefined ? '' : CURSOR.exec(cursor)?.[1];
    if (after === undefined) return undefined;
    const behind = Buffer.from(after, 'base64url').toString();
    const locks: StoredLock[] = [];
    for (const resource of [...this.#locks.keys()].filter((each) => each > behind).toSorted()) {
      const last = locks.at(-1);
      if (locks.length === limit && last !== undefined) {
        return { locks, cursor: `m${Buffer.from(last.resource).toString('base64url')}` };
      }
      const lock = this.#open(resource);
      this.#expire(lock);
      const [holders, waiting] = [lock.holders.size, lock.queue.size];
      if (holders + waiting > 0) locks.push({ resource, holders, waiting, foreign: false });
    }
    return { locks, cursor: undefined };
  }

  async forceRelease(resource: string): Promise<boolean> {
    const lock = this.#locks.get(resource);
    if (lock === undefined) return false;
    this.#expire(lock);
    const held = lock.holders.size > 0;
    lock.holders.clear();
    this.#serve(lock);
    this.#forget(resource, lock);
    return held;
  }

  async ready(): Promise<void> {}

  async close(): Promise<void> {
    this.#locks.clear();
    this.#attending.clear();
  }

  #open(resource: string): MemoryLock {
    let lock = this.#locks.get(resource);
    if (lock === undefined) this.#locks.set(resource, (lock = { holders: new Map(), queue: new Map() }));
    return lock;
  }

  #forget(resource: string, { holders, queue }: MemoryLock): void {
    if (holders.size === 0 && queue.size === 0) this.#locks.delete(resource);
  }

  #expire({ holders }: MemoryLock): void {
    const now = this.#clock.monotonic();
    for (const [owner, { endsAtMs }] of holders) if (endsAtMs <= now) holders.delete(owner);
  }

  /** Gives the lock to the head of the queue as long as that fits, and wakes all but the one that is asking. */
  #serve(lock: MemoryLock, asking?: string): void {
    this.#expire(lock);
    for (const [owner, request] of lock.queue) {
      if (!fits(lock, request.shape)) return;
      lock.queue.delete(owner);
      this.#hold(lock, request);
      if (owner !== asking) this.#attending.get(owner)?.();
    }
  }

  #hold(lock: MemoryLock, { owner, shape, ttlMs }: LockRequest): void {
    this.#lastToken = Math.max(this.#lastToken + 1, Math.floor(this.#clock.now() * 1000));
    const endsAtMs = this.#clock.monotonic() + ttlMs;
    lock.holders.set(owner, { shape, token: String(this.#lastToken), endsAtMs });
  }
}

function fits({ holders }: MemoryLock, shape: Shape): boolean {
  if (shape === 'x') return holders.size === 0;
  for (const holder of holders.values()) if (holder.shape === 'x') return false;
  return shape === '0' || holders.size < Number(shape);
}
