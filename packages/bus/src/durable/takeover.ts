import type { ClockTimer } from '@tierkit/core';
import type { Delivery } from '../drivers/driver.ts';
import type { Member } from './member.ts';

/** It is looked no more often. */
const MOST_OFTEN_MS = 20;
/** What could not be asked for is asked for again. */
const AWAY_MS = 1_000;
/** A consumer with work before it looks for more after this long. */
const BUSY_MS = 200;
/** Within this a free consumer finds what one that closes leaves to it. */
const LEFT_MS = 2_000;

export interface TakeoverOptions {
  /** Whether there is something to do here before more is taken. */
  readonly isBusy: () => boolean;
  readonly onClaimed: (deliveries: readonly Delivery[]) => void;
}

/** Looks for what is to be tried again: what failed, once its backoff is over, and what dead consumers left. */
export class Takeover {
  readonly #member: Member;
  readonly #options: TakeoverOptions;
  #timer: ClockTimer | undefined;
  #nextAtMs = Infinity;
  /** When events that failed here fall due. */
  #retriesAtMs: number[] = [];
  #looking: Promise<void> = Promise.resolve();
  #ended = false;

  constructor(member: Member, options: TakeoverOptions) {
    this.#member = member;
    this.#options = options;
  }

  /** Looks in so many milliseconds, or sooner. */
  lookIn(ms: number): void {
    const { clock, settings } = this.#member;
    const inMs = Math.max(MOST_OFTEN_MS, ms);
    const atMs = clock.monotonic() + inMs;
    if (this.#ended || this.#nextAtMs <= atMs) return;
    this.#timer?.cancel();
    this.#nextAtMs = atMs;
    this.#timer = clock.setTimeout(() => {
      this.#nextAtMs = Infinity;
      const lookedAtMs = clock.monotonic();
      this.#looking = this.#look().finally(() => {
        // The time of one that failed meanwhile may have been passed over, because this look was to come sooner.
        this.#retriesAtMs = this.#retriesAtMs.filter((dueAtMs) => dueAtMs > lookedAtMs);
        const dueMs = this.#retriesAtMs.reduce((least, dueAtMs) => Math.min(least, dueAtMs), Infinity);
        this.lookIn(Math.min(dueMs - clock.monotonic(), settings.claimAfterMs / 2, LEFT_MS));
      });
    }, inMs);
  }

  /** Something that failed falls due in so many milliseconds. */
  retryIn(ms: number): void {
    this.#retriesAtMs.push(this.#member.clock.monotonic() + ms + 1);
    this.lookIn(ms + 1);
  }

  /** Looks no more. Resolves once a look that is under way is over. */
  end(): Promise<void> {
    this.#ended = true;
    this.#timer?.cancel();
    return this.#looking;
  }

  async #look(): Promise<void> {
    const { driver, stream, owner, settings, logger } = this.#member;
    if (this.#options.isBusy()) return this.lookIn(BUSY_MS);
    try {
      const claimed = await driver.claim(stream, owner, settings.claimAfterMs, settings.batch);
      this.#options.onClaimed(claimed);
      if (claimed.length === settings.batch) this.lookIn(0);
    } catch (error) {
      if (!this.#ended) logger.warn({ error, stream }, 'what other consumers left cannot be taken over for now');
      this.lookIn(AWAY_MS);
    }
  }
}
