import type { ClockTimer } from '@tierkit/core';
import type { Member } from './member.ts';

/** Acknowledgements wait this long for others, at the most. */
const LATEST_MS = 50;

/** What a consumer has finished, acknowledged many at a time. */
export class Acknowledgements {
  readonly #member: Member;
  #done: string[] = [];
  /** Finished, and not known to be acknowledged. */
  readonly #finished = new Set<string>();
  readonly #sending = new Set<Promise<void>>();
  #timer: ClockTimer | undefined;

  constructor(member: Member) {
    this.#member = member;
  }

  /** Whether it is finished, though Redis may not know yet. */
  has(id: string): boolean {
    return this.#finished.has(id);
  }

  add(id: string): void {
    const { settings, clock } = this.#member;
    this.#finished.add(id);
    if (this.#done.push(id) >= settings.batch) this.#send();
    else this.#timer ??= clock.setTimeout(() => this.#send(), LATEST_MS);
  }

  /** Resolves once Redis was told of all, or could not be. */
  async flush(): Promise<void> {
    this.#send();
    await Promise.all(this.#sending);
  }

  #send(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#done.length === 0) return;
    const sending = this.#acknowledge(this.#done).finally(() => this.#sending.delete(sending));
    this.#done = [];
    this.#sending.add(sending);
  }

  async #acknowledge(ids: readonly string[]): Promise<void> {
    const { driver, stream, owner, logger } = this.#member;
    try {
      await driver.acknowledge(stream, owner.group, ids);
      for (const id of ids) this.#finished.delete(id);
    } catch (error) {
      // They are handed out again, and acknowledged then.
      logger.warn({ error, stream }, 'a consumer could not say what it has finished');
    }
  }
}
