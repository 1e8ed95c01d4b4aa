import type { Clock, ClockTimer } from '@tierkit/core';

/** Something that is due at a time on the monotonic clock, again and again. */
export interface Watched {
  readonly dueMs: number;
  onDue(nowMs: number): void;
}

/**
 * One timer for everything that is held.
 *
 * Adding sets a timer only when nothing is due earlier, and removing leaves it: a lock that is held for a moment costs an
 * entry in a set, and no timer of its own.
 */
export class LeaseWatch {
  readonly #clock: Clock;
  readonly #watched = new Set<Watched>();
  #timer: ClockTimer | undefined;
  #timerMs = Infinity;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Those who are held, in the order in which they came. */
  get all(): Iterable<Watched> {
    return this.#watched;
  }

  get size(): number {
    return this.#watched.size;
  }

  add(watched: Watched): void {
    this.#watched.add(watched);
    if (watched.dueMs < this.#timerMs) this.#arm(watched.dueMs);
  }

  /** To be called when something has become due earlier. */
  hurry(watched: Watched): void {
    if (this.#watched.has(watched) && watched.dueMs < this.#timerMs) this.#arm(watched.dueMs);
  }

  remove(watched: Watched): void {
    this.#watched.delete(watched);
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#timerMs = Infinity;
    this.#watched.clear();
  }

  #arm(dueMs: number): void {
    this.#timer?.cancel();
    this.#timerMs = dueMs;
    this.#timer = this.#clock.setTimeout(this.#fire, Math.max(1, Math.ceil(dueMs - this.#clock.monotonic())));
  }

  readonly #fire = (): void => {
    this.#timer = undefined;
    this.#timerMs = Infinity;
    const now = this.#clock.monotonic();
    let nextMs = Infinity;
    for (const watched of [...this.#watched]) {
      if (watched.dueMs <= now) watched.onDue(now);
      if (this.#watched.has(watched)) nextMs = Math.min(nextMs, watched.dueMs);
    }
    if (nextMs < this.#timerMs) this.#arm(nextMs);
  };
}
