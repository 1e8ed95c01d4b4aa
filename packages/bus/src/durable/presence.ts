import type { ClockTimer } from '@tierkit/core';
import type { Member } from './member.ts';

export interface PresenceOptions {
  /** The entries that are at work or wait here. */
  readonly holds: () => string[];
  /** Some of these went to other consumers. */
  readonly onTaken: (ids: ReadonlySet<string>) => void;
}

/** Says that what a consumer has is not abandoned, for as long as it has anything. */
export class Presence {
  readonly #member: Member;
  readonly #options: PresenceOptions;
  #timer: ClockTimer | undefined;
  #ended = false;

  constructor(member: Member, options: PresenceOptions) {
    this.#member = member;
    this.#options = options;
  }

  start(): void {
    if (this.#ended) return;
    this.#timer ??= this.#member.clock.setTimeout(() => {
      this.#timer = undefined;
      const ids = this.#options.holds();
      if (ids.length > 0) void this.#touch(ids).then(() => this.start());
    }, this.#member.settings.claimAfterMs / 3);
  }

  end(): void {
    this.#ended = true;
    this.#timer?.cancel();
  }

  async #touch(ids: readonly string[]): Promise<void> {
    const { driver, stream, owner, logger } = this.#member;
    try {
      const own = new Set(await driver.touch(stream, owner, ids));
      this.#options.onTaken(new Set(ids.filter((id) => !own.has(id))));
    } catch (error) {
      logger.warn({ error, stream }, 'a consumer could not say that it is at work');
    }
  }
}
