import type { ClockTimer } from '@tierkit/core';
import type { Member } from './member.ts';

/** Acknowledgements wait this long for others, at the most. */
const LATEST_MS = 50;

/** After which it is tried again to say what could not be said. */
const AGAIN_MS = 1_000;

/** What a consumer has finished, acknowledged many at a time. */
export class Acknowledgements {
  readonly #member: Member;
  #done: string[] = [];
  /** Finished, and not known to be acknowledged. */
  readonly #finished = new Set<string>();
  readonly #sending = new Set<Promise<void>>();
  #timer: ClockTimer | undefined;
  #ended = false;

  constructor(member: Member) {
    this.#member = member;
  }

  /** Whether it is finished, though Redis may not know yet. */
  has(id: string): boolean {
    return this.#finished.has(id);
  }

  add(id: string): void {
    this.#finished.add(id);
    if (this.#done.push(id) >= this.#member.settings.batch) this.#send();
    else this.#sendIn(LATEST_MS);
  }

  /** Resolves once Redis was told of all, or could not be, which is not tried again. */
  async end(): Promise<void> {
    this.#ended = true;
    this.#send();
    await Promise.all(this.#sending);
    this.#timer?.cancel();
  }

  #sendIn(ms: number): void {
    this.#timer ??= this.#member.clock.setTimeout(() => this.#send(), ms);
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
      if (!this.#ended) {
        this.#done.push(...ids);
        this.#sendIn(AGAIN_MS);
      }
      logger.warn({ error, stream }, 'a consumer could not say what it has finished');
    }
  }
}
