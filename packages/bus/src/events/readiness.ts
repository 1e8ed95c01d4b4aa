import type { Clock, ClockTimer } from '@tierkit/core';
import { busError } from '../errors.ts';

/** A promise that something is in effect; it is settled in any case: by that, by its time, or by an end that comes before. */
export class Readiness {
  readonly promise: Promise<void>;
  readonly #timer: ClockTimer;
  #open = true;
  #resolve: () => void = () => {};
  #reject: (error: Error) => void = () => {};

  constructor(clock: Clock, timeoutMs: number, what: string) {
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // Nobody has to wait for it.
    this.promise.catch(() => undefined);
    this.#timer = clock.setTimeout(
      () => this.fail(() => busError('ERR_BUS_TIMEOUT', `the ${what} is not in effect after ${timeoutMs} ms`)),
      timeoutMs,
    );
  }

  /** It is in effect. */
  reach(): void {
    if (this.#settle()) this.#resolve();
  }

  /** It is not, or will never be. @param why is asked only if that is not settled yet, as errors are costly to make */
  fail(why: () => Error): void {
    if (this.#settle()) this.#reject(why());
  }

  #settle(): boolean {
    const first = this.#open;
    this.#open = false;
    this.#timer.cancel();
    return first;
  }
}
