import type { Clock, ClockTimer } from '@tierkit/core';

/** Takes something back. @returns whether it was there */
export type TakeBack = () => Promise<boolean>;

const FIRST_RETRY_MS = 50;

/**
 * Takes back, in the background, what was asked for by callers that have gone.
 *
 * A request whose reply never came may be applied at any later time: it is taken back until it was found, or until its time to
 * live would have ended it.
 */
export class Withdrawals {
  readonly #clock: Clock;
  readonly #timers = new Set<ClockTimer>();
  #pending = 0;
  #idle: (() => void) | undefined;
  #closed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @param doubtful whether the request may not have been applied yet */
  add(takeBack: TakeBack, ttlMs: number, doubtful: boolean): void {
    this.#pending++;
    void this.#try(takeBack, doubtful, this.#clock.monotonic() + ttlMs, FIRST_RETRY_MS);
  }

  /** Resolves once the attempts that are under way have ended; no further ones follow. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const timer of this.#timers) {
      timer.cancel();
      this.#pending--;
    }
    this.#timers.clear();
    if (this.#pending > 0) await new Promise<void>((resolve) => (this.#idle = resolve));
  }

  async #try(takeBack: TakeBack, doubtful: boolean, untilMs: number, delayMs: number): Promise<void> {
    let found = false;
    try {
      found = (await takeBack()) || !doubtful;
    } catch {
      // Not now, so later.
    }
    if (!found && !this.#closed && this.#clock.monotonic() + delayMs < untilMs) {
      const timer = this.#clock.setTimeout(() => {
        this.#timers.delete(timer);
        void this.#try(takeBack, doubtful, untilMs, 2 * delayMs);
      }, delayMs);
      this.#timers.add(timer);
      return;
    }
    this.#pending--;
    if (this.#pending === 0) this.#idle?.();
  }
}
