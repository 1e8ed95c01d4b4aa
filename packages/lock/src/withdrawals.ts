import type { Clock, ClockTimer } from '@tierkit/core';

/** Takes something back, if it is there. */
export type TakeBack = () => Promise<unknown>;

const FIRST_RETRY_MS = 50;
const LONGEST_RETRY_MS = 5_000;
/** A request that has not been applied by then is believed to be lost with its connection. */
const LONGEST_AWAY_MS = 600_000;

/** Beyond so many, what cannot be taken back at once is left to its time to live. */
const MOST = 10_000;

interface Withdrawal {
  readonly takeBack: TakeBack;
  readonly ttlMs: number;
  /** Whether a request may not have been applied yet. */
  readonly doubtful: boolean;
  untilMs: number;
  answered: boolean;
  delayMs: number;
}

/**
 * Takes back, in the background, what was asked for by callers that have gone.
 *
 * A request whose reply never came may be applied at any later time, once Redis can be reached, and so may several of them: they
 * are taken back again and again, until Redis has answered for as long as they would live.
 */
export class Withdrawals {
  readonly #clock: Clock;
  readonly #timers = new Map<ClockTimer, Withdrawal>();
  #pending = 0;
  #idle: (() => void) | undefined;
  #closed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @param doubtful whether a request may not have been applied yet */
  add(takeBack: TakeBack, ttlMs: number, doubtful: boolean): void {
    this.#pending++;
    const untilMs = this.#clock.monotonic() + ttlMs + (doubtful ? LONGEST_AWAY_MS : 0);
    void this.#try({ takeBack, ttlMs, doubtful, untilMs, answered: false, delayMs: FIRST_RETRY_MS });
  }

  /** What waits for its next attempt has it now; resolves once all attempts have ended, and no further ones follow. */
  async close(): Promise<void> {
    this.#closed = true;
    const waiting = [...this.#timers];
    this.#timers.clear();
    for (const [timer, withdrawal] of waiting) {
      timer.cancel();
      void this.#try(withdrawal);
    }
    if (this.#pending > 0) await new Promise<void>((resolve) => (this.#idle = resolve));
  }

  async #try(withdrawal: Withdrawal): Promise<void> {
    try {
      await withdrawal.takeBack();
      if (!withdrawal.answered) {
        withdrawal.answered = true;
        withdrawal.untilMs = this.#clock.monotonic() + withdrawal.ttlMs;
        withdrawal.delayMs = FIRST_RETRY_MS;
      }
    } catch {
      // Not now, so later.
    }
    const { doubtful, answered, untilMs, delayMs } = withdrawal;
    const done = (answered && !doubtful) || this.#timers.size >= MOST;
    if (!done && !this.#closed && this.#clock.monotonic() + delayMs < untilMs) {
      withdrawal.delayMs = answered ? 2 * delayMs : Math.min(2 * delayMs, LONGEST_RETRY_MS);
      const timer = this.#clock.setTimeout(() => {
        this.#timers.delete(timer);
        void this.#try(withdrawal);
      }, delayMs);
      this.#timers.set(timer, withdrawal);
      return;
    }
    this.#pending--;
    if (this.#pending === 0) this.#idle?.();
  }
}
