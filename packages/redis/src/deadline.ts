import { TierkitError } from '@tierkit/core';

interface Waiting {
  expiresAt: number;
  reject: ((error: Error) => void) | undefined;
}

/** A deadline passes in this many steps. */
const STEPS = 10;

/**
 * One deadline for many promises, with one timer for all of them.
 *
 * Nothing expires before the replies that have arrived were read, and a turn of the event loop that brought replies counts
 * as one step, however long it took: it was this process that was late. Otherwise one that is busy would take answers that
 * lie in its own socket for missing ones.
 */
export class Deadline {
  readonly #ms: number;
  readonly #stepMs: number;
  #waiting: Waiting[] = [];
  #timer: NodeJS.Timeout | undefined;
  /** What has passed, up to the last step. */
  #passedMs = 0;
  #steppedAt = 0;
  /** Whether anything settled since. */
  #heard = false;

  constructor(ms: number) {
    this.#ms = ms;
    this.#stepMs = ms / STEPS;
  }

  /** The time by which the deadline is measured; a call of several commands takes it as it begins. */
  get moment(): number {
    if (this.#timer === undefined) return this.#passedMs;
    return this.#passedMs + performance.now() - this.#steppedAt;
  }

  /** Whether the deadline of a call that began then has passed. */
  isSpent(since: number): boolean {
    if (this.#timer === undefined) return this.#passedMs >= since + this.#ms;
    // Who asks has just heard: what this turn took until now will count as one step.
    return this.#passedMs + Math.min(performance.now() - this.#steppedAt, this.#stepMs) >= since + this.#ms;
  }

  /** Settles as the promise does, or rejects with `ERR_REDIS_TIMEOUT` once the deadline since the moment has passed. */
  race<T>(promise: Promise<T>, since: number = this.moment): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const waiting: Waiting = { expiresAt: since + this.#ms, reject };
      this.#waiting.push(waiting);
      if (this.#timer === undefined) this.#begin();
      promise.then(
        (value) => {
          waiting.reject = undefined;
          this.#heard = true;
          resolve(value);
        },
        (error: Error) => {
          waiting.reject = undefined;
          this.#heard = true;
          reject(error);
        },
      );
    });
  }

  dispose(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const waiting of this.#waiting) waiting.reject?.(timedOut('unknown'));
    this.#waiting = [];
  }

  #begin(): void {
    this.#steppedAt = performance.now();
    this.#heard = false;
    this.#arm(this.#stepMs);
  }

  #arm(ms: number): void {
    this.#timer = setTimeout(this.#due, ms);
    this.#timer.unref();
  }

  // Timers come before input in a turn of the event loop, immediates after it.
  readonly #due = (): void => void setImmediate(this.#step);

  readonly #step = (): void => {
    if (this.#timer === undefined) return;
    const now = performance.now();
    const tookMs = now - this.#steppedAt;
    this.#passedMs += this.#heard && tookMs > 2 * this.#stepMs ? this.#stepMs : tookMs;
    this.#steppedAt = now;
    this.#heard = false;
    // For what was begun late in a turn that counted less.
    const latest = this.#passedMs + this.#ms;
    const left: Waiting[] = [];
    let firstMs = Infinity;
    for (const waiting of this.#waiting) {
      if (waiting.reject === undefined) continue;
      waiting.expiresAt = Math.min(waiting.expiresAt, latest);
      if (waiting.expiresAt <= this.#passedMs) {
        waiting.reject(timedOut('unknown'));
      } else {
        left.push(waiting);
        firstMs = Math.min(firstMs, waiting.expiresAt - this.#passedMs);
      }
    }
    this.#waiting = left;
    this.#timer = undefined;
    if (left.length > 0) this.#arm(Math.max(1, Math.min(this.#stepMs, firstMs)));
  };
}

export function timedOut(applied: 'no' | 'unknown'): TierkitError<'ERR_REDIS_TIMEOUT'> {
  const doubt = applied === 'no' ? '; the command was not sent' : '; the command may have been applied';
  return new TierkitError('ERR_REDIS_TIMEOUT', `Redis did not answer in time${doubt}`, { details: { applied } });
}
