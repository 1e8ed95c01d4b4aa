import { LONGEST_TIMER_MS, type Clock, type Logger } from '@tierkit/core';
import { Crowds } from './crowds.ts';
import { isDoubtful, lockError } from './errors.ts';
import { LeaseWatch } from './lease-watch.ts';
import { resourceOf, type Kind } from './lock-name.ts';
import { deadlineOf, HeldLock, type LockContext } from './lock.ts';
import type { LocksStats } from './locks.ts';
import type { Plan } from './options.ts';
import type { LockRequest, LockStore } from './stores/lock-store.ts';
import { Waiting } from './waiting.ts';
import { Withdrawals } from './withdrawals.ts';

export interface AcquiringParts {
  readonly store: LockStore;
  /** What the owners of this process begin with. */
  readonly process: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

const CLOSE_GRACE_MS = 500;

/**
 * How this process comes by its holds: at once, where the lock is free, or in line. What callers leave behind who give up is
 * taken back.
 */
export class Acquiring {
  readonly #parts: AcquiringParts;
  readonly #context: LockContext;
  readonly #watch: LeaseWatch;
  readonly #withdrawals: Withdrawals;
  readonly #waiting = new Map<Waiting, Promise<void>>();
  readonly #crowds = new Crowds();
  readonly #counts = { acquired: 0, waited: 0, timeouts: 0, lost: 0 };
  #owners = 0;
  /** Requests for a lock, other than those of waiters, that are under way. */
  #asking = 0;
  #closed = false;
  #released: (() => void) | undefined;

  constructor(parts: AcquiringParts) {
    const { store, clock, logger } = parts;
    this.#parts = parts;
    this.#watch = new LeaseWatch(clock);
    this.#withdrawals = new Withdrawals(clock);
    this.#context = { store, clock, logger, watch: this.#watch, onEnd: (lost) => this.#ended(lost) };
  }

  get stats(): LocksStats {
    return { held: this.#watch.size, waiting: this.#waiting.size, ...this.#counts };
  }

  /** @returns `undefined` if somebody has the lock or waits for it */
  async try(kind: Kind, name: string, plan: Plan): Promise<HeldLock | undefined> {
    const request = this.#requestOf(kind, name, plan);
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
      throw lockError('ERR_LOCK_TIMEOUT', `${name} had run out before the reply could be read`);
    }
    return this.#hold(name, request, taking.token, sentMs, plan, this.#context);
  }

  /** Waits in line, unless the lock is free. */
  take(kind: Kind, name: string, plan: Plan): Promise<HeldLock> {
    const request = this.#requestOf(kind, name, plan);
    const sentMs = this.#parts.clock.monotonic();
    if (this.#crowds.has(request.resource, sentMs)) return this.#wait(name, request, sentMs, plan, true);
    this.#asking++;
    return this.#parts.store.take(request, 'try').then(
      (taking) => {
        this.#answered();
        return taking.token !== undefined && !this.#tooLate(sentMs, plan)
          ? this.#hold(name, request, taking.token, sentMs, plan, this.#context)
          : this.#wait(name, request, sentMs, plan, false);
      },
      (error: unknown) => this.#failed(request, error),
    );
  }

  /** Ends waits, and gives holders, whose signals are aborted, half a second to release. Nothing is handed out from now on. */
  async close(): Promise<void> {
    this.#closed = true;
    const reason = closed();
    for (const waiting of this.#waiting.keys()) waiting.end(reason);
    for (const held of this.#watch.all) (held as HeldLock).interrupt(reason);
    if (this.#watch.size > 0 || this.#asking > 0) await this.#allReleased();
    this.#watch.stop();
    await Promise.all(this.#waiting.values());
    await this.#withdrawals.close();
  }

  #allReleased(): Promise<void> {
    return new Promise((resolve) => {
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

  #requestOf(kind: Kind, name: string, plan: Plan): LockRequest {
    const owner = `${this.#parts.process}.${this.#owners++}`;
    return { resource: resourceOf(kind, name), owner, shape: plan.shape, ttlMs: plan.ttlMs };
  }

  #tooLate(sentMs: number, { ttlMs }: Plan): boolean {
    return this.#parts.clock.monotonic() >= deadlineOf(sentMs, ttlMs);
  }

  #hold(name: string, request: LockRequest, token: string, sentMs: number, plan: Plan, context: LockContext): HeldLock {
    // Nobody would tell its holder that the locks are closed.
    if (this.#closed) {
      this.#withdraw(request, context !== this.#context);
      throw closed();
    }
    this.#counts.acquired++;
    return new HeldLock(context, { name, request, token, sentMs, renews: plan.renews });
  }

  async #wait(name: string, request: LockRequest, startMs: number, plan: Plan, first: boolean): Promise<HeldLock> {
    if (this.#closed) {
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
        this.#counts.waited++;
        this.#crowds.note(request.resource, sentMs);
      }
      const context = waiting.doubtful ? this.#contextOfDoubt(request) : this.#context;
      return this.#hold(name, request, token, sentMs, plan, context);
    } catch (error) {
      if ((error as { code?: string }).code === 'ERR_LOCK_TIMEOUT') this.#counts.timeouts++;
      throw error;
    }
  }

  /** For a hold that another request of its own may take once more, after it was released. */
  #contextOfDoubt(request: LockRequest): LockContext {
    const { store } = this.#parts;
    const release: LockStore['release'] = (held, token) =>
      store.release(held, token).finally(() => this.#withdraw(request, true));
    return { ...this.#context, store: { extend: (held, token) => store.extend(held, token), release } };
  }

  #withdraw(request: LockRequest, doubtful: boolean): void {
    this.#withdrawals.add(() => this.#parts.store.withdraw(request), request.ttlMs, doubtful);
  }

  #failed(request: LockRequest, error: unknown): never {
    this.#answered();
    if (isDoubtful(error)) this.#withdraw(request, true);
    throw error;
  }

  #answered(): void {
    this.#asking--;
    this.#ceased();
  }

  #ended(lost: boolean): void {
    if (lost) this.#counts.lost++;
    this.#ceased();
  }

  #ceased(): void {
    if (this.#watch.size === 0 && this.#asking === 0) this.#released?.();
  }
}

export const closed = (): Error => lockError('ERR_LOCK_CLOSED', 'the locks are closed');
