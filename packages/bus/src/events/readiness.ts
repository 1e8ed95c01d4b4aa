import type { Clock, ClockTimer } from '@tierkit/core';
import { busError } from '../errors.ts';

/** A promise that something is in effect; it is settled in any case: by that, by its time, or by an end that comes before. */
export class Readiness {
  readonly promise: Promise<void>;
  readonly #timer: ClockTimer;
  #settle: (error?: Error) => void = () => {};

  constructor(clock: Clock, timeoutMs: number, what: string) {
    this.promise = new Promise((resolve, reject) => {
      this.#settle = (error) => (error === undefined ? resolve() : reject(error));
    });
    // Nobody has to wait for it.
    this.promise.catch(() => undefined);
    this.#timer = clock.setTimeout(
      () => this.#settle(busError('ERR_BUS_TIMEOUT', `the ${what} is not in effect after ${timeoutMs} ms`)),
      timeoutMs,
    );
  }

  /** What it is told first counts. @param error why it is not, or will never be */
  settle(error?: Error): void {
    this.#timer.cancel();
    this.#settle(error);
  }
}
