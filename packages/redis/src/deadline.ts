import { TierkitError } from '@tierkit/core';

interface Waiting {
  readonly expiresAt: number;
  reject: ((error: Error) => void) | undefined;
}

/**
 * One deadline for many promises, with one timer for all of them: as every wait has the same length, they expire in
 * the order in which they began.
 */
export class Deadline {
  readonly #ms: number;
  #queue: Waiting[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(ms: number) {
    this.#ms = ms;
  }

  /** Settles as the promise does, or rejects with `ERR_REDIS_TIMEOUT` once the deadline has passed. */
  race<T>(promise: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const waiting: Waiting = { expiresAt: performance.now() + this.#ms, reject };
      this.#queue.push(waiting);
      this.#arm(this.#ms);
      promise.then(
        (value) => {
          waiting.reject = undefined;
          resolve(value);
        },
        (error: Error) => {
          waiting.reject = undefined;
          reject(error);
        },
      );
    });
  }

  dispose(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const waiting of this.#queue) waiting.reject?.(timedOut());
    this.#queue = [];
  }

  #arm(ms: number): void {
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(this.#expire, ms);
    this.#timer.unref();
  }

  readonly #expire = (): void => {
    const now = performance.now();
    const firstLeft = this.#queue.findIndex(({ expiresAt, reject }) => reject !== undefined && expiresAt > now);
    const expired = firstLeft === -1 ? this.#queue : this.#queue.slice(0, firstLeft);
    this.#queue = firstLeft === -1 ? [] : this.#queue.slice(firstLeft);
    for (const waiting of expired) waiting.reject?.(timedOut());
    const next = this.#queue[0];
    this.#timer = undefined;
    if (next !== undefined) this.#arm(Math.max(1, next.expiresAt - now));
  };
}

function timedOut(): TierkitError<'ERR_REDIS_TIMEOUT'> {
  return new TierkitError('ERR_REDIS_TIMEOUT', 'Redis did not answer in time; the command may have been applied', {
    details: { applied: 'unknown' },
  });
}
