import type { Logger } from '@tierkit/core';
import type { ScopeAddress } from '../scope-address.ts';
import type { StoredEntry } from '../stores/store.ts';
import type { PendingStore, PendingWrite } from './pending-store.ts';

/** A pending write as an entry, or `'deleted'`. */
export type PendingEntry = StoredEntry | 'deleted';

/**
 * What reads have to know of write-behind: a name that the second level lacks may be pending.
 *
 * Only tiers of which something was ever written behind are asked for that. Which those are is learned when the feed
 * becomes live, and heard from it afterwards, before the news of the first write; while that is unknown, all are asked for.
 */
export class WrittenBehind {
  readonly pending: PendingStore;
  readonly #logger: Logger;
  readonly #tiers = new Set<string>();
  #known = false;
  #learning = 0;
  #asking: Promise<void> = Promise.resolve();

  constructor(store: PendingStore, logger: Logger, known: boolean) {
    this.pending = store;
    this.#logger = logger;
    this.#known = known;
  }

  add(tier: string): void {
    this.#tiers.add(tier);
  }

  /** News may be missed from now on. */
  forget(): void {
    this.#learning++;
    this.#known = false;
  }

  /** News are heard again: what was missed is asked for. Without an answer, all tiers are asked for what is pending. */
  learn(): Promise<void> {
    this.#asking = this.#learn(++this.#learning);
    return this.#asking;
  }

  /** Resolves when the last question was answered, or was not. */
  get learned(): Promise<void> {
    return this.#asking;
  }

  async #learn(learning: number): Promise<void> {
    try {
      for (const tier of await this.pending.tiers()) this.#tiers.add(tier);
      if (learning === this.#learning) this.#known = true;
    } catch (error) {
      this.#logger.debug({ error: String(error) }, 'it is not known which tiers are written behind');
    }
  }

  /** @param away whether the second level could not be asked */
  concerns({ tier }: ScopeAddress, away: boolean): boolean {
    return (!this.#known || this.#tiers.has(tier)) && (!away || this.pending.apart);
  }

  /** What is pending of the names. @throws {TierkitError} as the store */
  async find(scope: ScopeAddress, names: readonly string[]): Promise<(PendingEntry | undefined)[]> {
    const found = await this.pending.find(scope, names);
    return found.map((write) => write && entryOf(scope, write));
  }
}

function entryOf(scope: ScopeAddress, write: PendingWrite): PendingEntry {
  if (write.deleted) return 'deleted';
  const { name, flags, payload } = write;
  const key = scope.prefix + name;
  return { key, bytes: payload, flags, payload, expiresAtMs: Infinity, freshUntilMs: Infinity, tags: undefined };
}
