import { parseDuration, type Clock, type Duration, type Logger } from '@tierkit/core';
import { lockError } from './errors.ts';
import type { LeaseWatch, Watched } from './lease-watch.ts';
import { MAX_TTL_MS, MIN_TTL_MS } from './options.ts';
import type { LockRequest, LockStore } from './stores/lock-store.ts';

/**
 * One hold of a lock. It ends with `release()`, or is lost: when Redis has not confirmed it again by the deadline, or says that it
 * is somebody else's. What is lost never comes back.
 */
export interface Lock extends AsyncDisposable {
  /** As it was given, encoded as in Redis. */
  readonly name: string;
  readonly mode: 'exclusive' | 'shared';
  /**
   * The fencing token: greater than that of every earlier hold of the lock. A store that remembers the greatest token it has
   * seen, and refuses writes with a smaller one, is safe from holders that do not know yet that they have lost the lock.
   */
  readonly token: bigint;
  /** Aborted when the lock is lost or `close()` is called, by the deadline at the latest, whatever state Redis is in. */
  readonly signal: AbortSignal;
  /** Whether it is held at this moment, by this process's clock. */
  readonly held: boolean;
  /** Milliseconds until the deadline, by this process's clock; 0 once it has ended. */
  readonly remainingMs: number;

  /**
   * Throws unless the lock is held at this moment. It looks at the clock, so that it is right after the event loop stood still,
   * when `signal` has not been aborted yet.
   *
   * @throws {TierkitError} `ERR_LOCK_LOST`, or `ERR_LOCK_NOT_OWNED` after `release()`.
   */
  assertHeld(): void;

  /**
   * Lets the hold last for `ttl` from now, and by that much at each renewal. @default the time to live it was taken with
   *
   * @throws {TierkitError} `ERR_LOCK_LOST`, or `ERR_LOCK_NOT_OWNED` after `release()`.
   * @throws {TierkitError} `ERR_LOCK_UNAVAILABLE`: Redis did not answer; it is still held until the deadline, which a shorter
   *   time to live has brought forward.
   */
  extend(ttl?: Duration): Promise<void>;

  /**
   * Gives the lock back; the next in line is woken. It may be called again.
   *
   * @returns whether the lock was held until now; false if it had been lost.
   * @throws {TierkitError} `ERR_LOCK_UNAVAILABLE`: Redis did not answer. It ends by itself when its time to live has passed.
   */
  release(): Promise<boolean>;

  /** Releases the lock at the end of an `await using` block. @throws {TierkitError} `ERR_LOCK_LOST`, if it was lost before */
  [Symbol.asyncDispose](): Promise<void>;
}

export interface LockContext {
  readonly store: Pick<LockStore, 'extend' | 'release'>;
  readonly watch: LeaseWatch;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Called once, when a hold has ended by release or loss. */
  readonly onEnd: (lost: boolean) => void;
}

/** Clocks of two machines, each adjusted by its own time service, differ by less than this share in what they call a second. */
const DRIFT = 0.01;
const DRIFT_MS = 2;
const RENEWALS_PER_TTL = 3;
const RETRIES_PER_TTL = 20;

/** When a hold that was confirmed for a request sent at `sentMs` has to be given up. */
export function deadlineOf(sentMs: number, ttlMs: number): number {
  return sentMs + ttlMs * (1 - DRIFT) - DRIFT_MS;
}

type State = 'held' | 'released' | 'lost';

export class HeldLock implements Lock, Watched {
  readonly name: string;
  dueMs = 0;
  readonly #context: LockContext;
  readonly #token: string;
  readonly #renews: boolean;
  #request: LockRequest;
  #deadlineMs: number;
  #state: State = 'held';
  #loss: Error | undefined;
  #controller: AbortController | undefined;
  #extending: Promise<unknown> | undefined;
  #release: Promise<boolean> | undefined;

  constructor(
    context: LockContext,
    hold: {
      readonly name: string;
      readonly request: LockRequest;
      readonly token: string;
      readonly sentMs: number;
      readonly renews: boolean;
    },
  ) {
    this.name = hold.name;
    this.#context = context;
    this.#request = hold.request;
    this.#token = hold.token;
    this.#renews = hold.renews;
    this.#deadlineMs = 0;
    this.#prolong(hold.sentMs);
    context.watch.add(this);
  }

  get mode(): 'exclusive' | 'shared' {
    return this.#request.shape === 'x' ? 'exclusive' : 'shared';
  }

  get token(): bigint {
    return BigInt(this.#token);
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#lost()) this.#controller.abort(this.#loss);
    }
    return this.#controller.signal;
  }

  get held(): boolean {
    return this.#state === 'held' && !this.#lost();
  }

  get remainingMs(): number {
    return this.held ? this.#deadlineMs - this.#context.clock.monotonic() : 0;
  }

  assertHeld(): void {
    if (this.#lost()) throw this.#loss;
    if (this.#state === 'released') throw lockError('ERR_LOCK_NOT_OWNED', `${this.name} was released before`);
  }

  async extend(ttl?: Duration): Promise<void> {
    const ttlMs =
      ttl === undefined ? this.#request.ttlMs : parseDuration(ttl, 'ttl', { minMs: MIN_TTL_MS, maxMs: MAX_TTL_MS });
    // One after the other, so that an earlier one cannot undo a later one.
    while (this.#extending !== undefined) await this.#extending;
    this.assertHeld();
    this.#request = { ...this.#request, ttlMs };
    // If no answer comes, it may have become that short.
    const nowMs = this.#context.clock.monotonic();
    if (deadlineOf(nowMs, ttlMs) < this.#deadlineMs) {
      this.#prolong(nowMs);
      this.#context.watch.hurry(this);
    }
    await this.#extend();
    this.assertHeld();
  }

  release(): Promise<boolean> {
    this.#release ??= this.#end();
    return this.#release;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const again = this.#release !== undefined;
    try {
      await this.release();
    } catch (error) {
      // What was done under the lock is done, and its time to live ends it.
      this.#context.logger.warn({ lock: this.name, error: String(error) }, 'a lock could not be released');
    }
    if (this.#state === 'lost' && !again) throw this.#loss;
  }

  /** Aborts the signal, while the lock stays held until it is released or its time to live has passed. */
  interrupt(reason: Error): void {
    this.#controller ??= new AbortController();
    this.#controller.abort(reason);
  }

  onDue(nowMs: number): void {
    if (nowMs >= this.#deadlineMs) {
      this.#lose('Redis has not confirmed it in time');
      return;
    }
    if (this.#extending === undefined) {
      this.dueMs = Math.min(this.#deadlineMs, nowMs + this.#request.ttlMs / RETRIES_PER_TTL);
      // It is tried again until the deadline.
      this.#extend().catch(() => undefined);
    } else this.dueMs = this.#deadlineMs;
  }

  #prolong(sentMs: number): void {
    const { ttlMs } = this.#request;
    this.#deadlineMs = deadlineOf(sentMs, ttlMs);
    this.dueMs = this.#renews ? Math.min(sentMs + ttlMs / RENEWALS_PER_TTL, this.#deadlineMs) : this.#deadlineMs;
  }

  #extend(): Promise<void> {
    const sentMs = this.#context.clock.monotonic();
    const extending = this.#context.store.extend(this.#request, this.#token).then((extended) => {
      if (this.#state !== 'held') return;
      if (!extended) return this.#lose('somebody else has it, or it was removed');
      if (this.#lost()) return;
      this.#prolong(sentMs);
      this.#context.watch.hurry(this);
    });
    this.#extending = extending
      .catch(() => undefined)
      .then(() => {
        this.#extending = undefined;
      });
    return extending;
  }

  /** Whether the lock is lost, which a deadline that has passed makes it. */
  #lost(): boolean {
    if (this.#state === 'held' && this.#context.clock.monotonic() >= this.#deadlineMs) {
      this.#lose('Redis has not confirmed it in time');
    }
    return this.#state === 'lost';
  }

  #lose(reason: string): void {
    this.#state = 'lost';
    this.#loss = lockError('ERR_LOCK_LOST', `${this.name} is lost: ${reason}`, { token: this.#token });
    this.#context.watch.remove(this);
    this.#context.onEnd(true);
    this.#context.logger.warn({ lock: this.name, reason }, 'a lock is lost');
    this.#controller?.abort(this.#loss);
    // It may be ours still by Redis's clock; nobody has to wait for that to pass.
    this.#context.store.release(this.#request, this.#token).catch(() => undefined);
  }

  #end(): Promise<boolean> {
    const { store, watch, onEnd } = this.#context;
    if (this.#lost()) return Promise.resolve(false);
    this.#state = 'released';
    watch.remove(this);
    onEnd(false);
    return store.release(this.#request, this.#token).then((held) => {
      if (!held) {
        this.#state = 'lost';
        this.#loss = lockError('ERR_LOCK_LOST', `${this.name} was somebody else's, or removed, when it was released`);
      }
      return held;
    });
  }
}
