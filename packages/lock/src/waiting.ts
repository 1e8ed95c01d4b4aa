import type { Clock } from '@tierkit/core';
import { isDoubtful, lockError } from './errors.ts';
import { deadlineOf } from './lock.ts';
import { LONGEST_RETRY_MS } from './scripts/lock-lua.ts';
import type { LockRequest, LockStore } from './stores/lock-store.ts';

export interface WaitOptions {
  readonly store: LockStore;
  readonly clock: Clock;
  readonly request: LockRequest;
  readonly name: string;
  /** On the monotonic clock. */
  readonly giveUpAtMs: number;
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  /** Whether the first answer, if it is an error, ends the wait: nothing has been asked before. */
  readonly first: boolean;
}

/** A hold that was taken: its deadline counts from when it was asked for. */
export interface Won {
  readonly token: string;
  readonly sentMs: number;
  /** Whether others were before. */
  readonly waited: boolean;
}

/** Past the time a holder has left, so that it has run out on the server; spread, so that not all ask at once. */
const retryDelay = (retryInMs: number): number => Math.min(retryInMs, LONGEST_RETRY_MS) + 2 + Math.random() * 30;
const RETRY_AWAY_MS = 100;

/**
 * One place in a queue, until it is served or given up.
 *
 * It asks when it is woken, and when the holders that it knows of have run out, so that a wake-up that was lost only delays.
 * Whoever gives up is told at once; the place is cleared behind them, and if their turn came at the same moment, it is
 * passed on.
 */
export class Waiting {
  readonly outcome: Promise<Won>;
  /** Whether a request of this place may yet be applied. */
  doubtful = false;
  readonly #options: WaitOptions;
  #settle!: { readonly resolve: (won: Won) => void; readonly reject: (error: unknown) => void };
  #over = false;
  #asked = false;
  #answered = false;
  #waited = false;
  #won = false;
  #woken = false;
  #wakeSleeper: (() => void) | undefined;
  #lastError: unknown;

  constructor(options: WaitOptions) {
    this.#options = options;
    this.outcome = new Promise((resolve, reject) => (this.#settle = { resolve, reject }));
  }

  /** Waits to the end. @returns whether a place or a hold was left behind, which has to be cleared */
  async run(): Promise<boolean> {
    const { clock, giveUpAtMs, signal } = this.#options;
    const timer = clock.setTimeout(this.#timeUp, Math.max(1, giveUpAtMs - clock.monotonic()));
    signal?.addEventListener('abort', this.#aborted);
    if (signal?.aborted === true) this.#aborted();
    try {
      await this.#wait();
    } finally {
      timer.cancel();
      signal?.removeEventListener('abort', this.#aborted);
    }
    return this.#asked && !this.#won;
  }

  end(error: unknown): void {
    if (this.#over) return;
    this.#over = true;
    this.#settle.reject(error);
    this.#wake();
  }

  async #wait(): Promise<void> {
    const { store, request } = this.#options;
    const attendance = store.attend(request, this.#wake);
    // Who gives up meanwhile does not have to wait for it.
    await Promise.race([attendance.ready, this.outcome.catch(() => undefined)]);
    while (!this.#over) {
      this.#woken = false;
      const retryInMs = await this.#ask();
      if (!this.#over && !this.#woken) await this.#sleep(retryInMs);
    }
    attendance.leave();
  }

  /** @returns when to ask again */
  async #ask(): Promise<number> {
    const { store, request, clock } = this.#options;
    const sentMs = clock.monotonic();
    this.#asked = true;
    try {
      const taking = await store.take(request, 'wait');
      this.#lastError = undefined;
      this.#answered = true;
      if (taking.token === undefined) {
        this.#waited = true;
        return retryDelay(taking.retryInMs);
      }
      // What has run out on the way here was never held; asking again renews it or queues for it.
      if (this.#over || clock.monotonic() >= deadlineOf(sentMs, request.ttlMs)) return 0;
      this.#won = true;
      this.#over = true;
      this.#settle.resolve({ token: taking.token, sentMs, waited: this.#waited });
      return 0;
    } catch (error) {
      this.#lastError = error;
      this.doubtful ||= isDoubtful(error);
      if (this.#options.first && !this.#answered) this.end(error);
      return RETRY_AWAY_MS;
    }
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#options.clock.setTimeout(() => this.#wake(), ms);
      this.#wakeSleeper = () => {
        timer.cancel();
        resolve();
      };
    });
  }

  readonly #wake = (): void => {
    this.#woken = true;
    this.#wakeSleeper?.();
    this.#wakeSleeper = undefined;
  };

  readonly #timeUp = (): void => {
    const { name, timeoutMs } = this.#options;
    const error = this.#lastError;
    if (error !== undefined) return this.end(error);
    this.end(lockError('ERR_LOCK_TIMEOUT', `${name} was not free within ${timeoutMs} ms`, { name, timeoutMs }));
  };

  readonly #aborted = (): void => {
    const { name, signal } = this.#options;
    this.end(lockError('ERR_LOCK_ABORTED', `the wait for ${name} was aborted`, { name }, signal?.reason));
  };
}
