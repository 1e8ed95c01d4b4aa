import type { Lock } from '../../src/index.ts';
import type { Stay } from './journal.ts';

export interface HoldReport {
  readonly held: boolean;
  readonly stay: Stay;
  /** How long after the deadline the signal was aborted; `undefined` if it was not. */
  readonly abortedLateMs: number | undefined;
  /** How late a timer of this process for the same moment was: as late as anything could be on this machine. */
  readonly controlLateMs: number | undefined;
  readonly abortedWith: string | undefined;
}

/** Who asks a lock whether it is held makes it look at the clock: before the deadline, its own timer has to do that. */
const HANDS_OFF_MS = 15;

/** One hold, its stay for the journal, and when it was lost. */
export class WatchedHold {
  readonly lock: Lock;
  readonly #by: string;
  readonly #fromMs = performance.now();
  readonly #fromNs = process.hrtime.bigint();
  readonly #watch: NodeJS.Timeout;
  #untilMs = this.#fromMs;
  #deadlineMs = Infinity;
  #control: NodeJS.Timeout | undefined;
  #controlAtMs: number | undefined;
  #abortedAtMs: number | undefined;

  constructor(by: string, lock: Lock) {
    this.#by = by;
    this.lock = lock;
    lock.signal.addEventListener('abort', () => {
      this.#abortedAtMs = performance.now();
      // Until then it believed that it held the lock.
      this.#untilMs = Math.min(this.#abortedAtMs, this.#deadlineMs);
      clearInterval(this.#watch);
    });
    this.#watch = setInterval(() => this.#look(), 1);
    this.#look();
  }

  get aborted(): boolean {
    return this.#abortedAtMs !== undefined;
  }

  release(): Promise<boolean> {
    this.#look();
    clearInterval(this.#watch);
    clearTimeout(this.#control);
    return this.lock.release();
  }

  report(): HoldReport {
    const { lock } = this;
    const untilNs = this.#fromNs + BigInt(Math.round((this.#untilMs - this.#fromMs) * 1e6));
    return {
      held: lock.held,
      stay: { by: this.#by, fromNs: this.#fromNs, untilNs, token: lock.token },
      abortedLateMs: this.#abortedAtMs === undefined ? undefined : this.#abortedAtMs - this.#deadlineMs,
      controlLateMs: this.#controlAtMs === undefined ? undefined : this.#controlAtMs - this.#deadlineMs,
      abortedWith: (lock.signal.reason as { code?: string } | undefined)?.code,
    };
  }

  #look(): void {
    const beforeMs = performance.now();
    if (beforeMs > this.#deadlineMs - HANDS_OFF_MS) return;
    const left = this.lock.remainingMs;
    const afterMs = performance.now();
    if (left === 0) return;
    this.#untilMs = beforeMs;
    // It is the one of before, or this process was held up between the two looks at the clock.
    const deadlineMs = afterMs + left;
    if (Math.abs(deadlineMs - this.#deadlineMs) < 0.5 || afterMs - beforeMs > 0.2) return;
    this.#deadlineMs = deadlineMs;
    clearTimeout(this.#control);
    this.#controlAtMs = undefined;
    this.#control = setTimeout(() => (this.#controlAtMs = performance.now()), Math.ceil(left));
  }
}
