import type { Clock } from '@tierkit/core';

const FIRST_MS = 50;
const MOST_MS = 2_000;

/** Waits between attempts at something that fails for the moment: longer each time, with jitter. */
export class Backoff {
  readonly #clock: Clock;
  #attempts = 0;
  #cancel: () => void = () => {};

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  wait(): Promise<void> {
    const ms = Math.min(FIRST_MS * 2 ** this.#attempts++, MOST_MS) * (0.5 + Math.random() / 2);
    return new Promise((resolve) => {
      const timer = this.#clock.setTimeout(resolve, ms);
      this.#cancel = () => {
        timer.cancel();
        resolve();
      };
    });
  }

  reset(): void {
    this.#attempts = 0;
  }

  /** Ends a wait at once. */
  cancel(): void {
    this.#cancel();
  }
}
