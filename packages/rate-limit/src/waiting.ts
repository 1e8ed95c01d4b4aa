import type { Clock } from '@tierkit/core';
import type { LimitResult } from './limit-result.ts';

export interface WaitTerms {
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  readonly attempt: () => Promise<LimitResult>;
}

const nothing = (): void => {};

/** Callers that wait for the same subject: they ask in the order in which they came, one at a time. */
export class Waiting {
  readonly #clock: Clock;
  readonly #last = new Map<string, Promise<void>>();
  readonly #sleepers = new Map<string, () => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * The first result that is allowed, or the last one when waiting on cannot help: the time left is too short.
   *
   * Rejects with the signal's reason, and with what an attempt rejects with.
   */
  async until(subject: string, { timeoutMs, signal, attempt }: WaitTerms): Promise<LimitResult> {
    signal?.throwIfAborted();
    const deadlineMs = this.#clock.monotonic() + timeoutMs;
    const before = this.#last.get(subject);
    let leave = nothing;
    const turn = new Promise<void>((resolve) => (leave = resolve));
    const own = (before ?? Promise.resolve()).then(() => turn);
    this.#last.set(subject, own);
    // The clock's timers let the process end, and somebody waits.
    const alive = setInterval(() => {}, 2 ** 30);
    try {
      if (before !== undefined) await this.#within(before, deadlineMs, signal);
      for (;;) {
        signal?.throwIfAborted();
        const result = await attempt();
        const leftMs = deadlineMs - this.#clock.monotonic();
        if (result.allowed || result.retryAfterMs > leftMs) return result;
        await this.#sleep(subject, result.retryAfterMs, signal);
      }
    } finally {
      clearInterval(alive);
      leave();
      if (this.#last.get(subject) === own) this.#last.delete(subject);
    }
  }

  /** What was denied may be allowed now: whoever waits for the subject asks again. */
  wake(subject: string): void {
    this.#sleepers.get(subject)?.();
  }

  wakeAll(): void {
    for (const wake of this.#sleepers.values()) wake();
  }

  /** Until the one before has left, or the time is up: then one attempt tells what to answer. */
  async #within(before: Promise<void>, deadlineMs: number, signal: AbortSignal | undefined): Promise<void> {
    let stop = nothing;
    const stopped = new Promise<void>((resolve) => (stop = resolve));
    const timer = this.#clock.setTimeout(stop, deadlineMs - this.#clock.monotonic());
    signal?.addEventListener('abort', stop);
    try {
      await Promise.race([before, stopped]);
    } finally {
      timer.cancel();
      signal?.removeEventListener('abort', stop);
    }
  }

  async #sleep(subject: string, ms: number, signal: AbortSignal | undefined): Promise<void> {
    let wake = nothing;
    const awake = new Promise<void>((resolve) => (wake = resolve));
    const timer = this.#clock.setTimeout(wake, ms);
    this.#sleepers.set(subject, wake);
    signal?.addEventListener('abort', wake);
    try {
      await awake;
    } finally {
      timer.cancel();
      if (this.#sleepers.get(subject) === wake) this.#sleepers.delete(subject);
      signal?.removeEventListener('abort', wake);
    }
  }
}
