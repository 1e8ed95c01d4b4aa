import type { Letter, LetterStore, QueueKeys } from './pending-store.ts';

/** What was given up, in this process alone. */
export class MemoryLetters implements LetterStore {
  readonly #letters = new Map<string, Letter[]>();
  #lastId = 0;

  async bury({ name }: QueueKeys, letters: readonly Omit<Letter, 'id'>[], most: number): Promise<void> {
    const kept = [...this.#of(name), ...letters.map((letter) => ({ ...letter, id: `${++this.#lastId}-0` }))];
    this.#letters.set(name, kept.slice(-most));
  }

  async list({ name }: QueueKeys, after: string, count: number): Promise<readonly Letter[]> {
    const last = Number.parseInt(after, 10) || 0;
    return this.#of(name)
      .filter(({ id }) => Number.parseInt(id, 10) > last)
      .slice(0, count);
  }

  async count({ name }: QueueKeys): Promise<number> {
    return this.#of(name).length;
  }

  async discard({ name }: QueueKeys, ids: readonly string[]): Promise<number> {
    const gone = new Set(ids);
    const [before, kept] = [this.#of(name), this.#of(name).filter(({ id }) => !gone.has(id))];
    this.#letters.set(name, kept);
    return before.length - kept.length;
  }

  async discardAll({ name }: QueueKeys): Promise<number> {
    const { length } = this.#of(name);
    this.#letters.delete(name);
    return length;
  }

  #of(queue: string): readonly Letter[] {
    return this.#letters.get(queue) ?? [];
  }
}
