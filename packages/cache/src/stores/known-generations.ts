import type { InvalidationFeed } from '@tierkit/redis';
import { LRUCache } from 'lru-cache';

/** The longest that a known generation is trusted without asking; it bounds how long a lost one goes unnoticed. */
const TRUST_MS = 3_000;
const MAX_SCOPES = 10_000;

interface Known {
  readonly generation: Buffer;
  readonly askedAtMs: number;
}

/** Generations of scopes as reads brought them along, so that the next read of the scope need not ask for them. */
export class KnownGenerations {
  readonly #feed: InvalidationFeed;
  readonly #known = new LRUCache<string, Known>({ max: MAX_SCOPES });
  #changes = 0;

  constructor(feed: InvalidationFeed) {
    this.#feed = feed;
  }

  /** The generation, as long as the feed would have told of another. */
  get(generationKey: string): Buffer | undefined {
    if (!this.#feed.live) return undefined;
    const known = this.#known.get(generationKey);
    return known !== undefined && performance.now() - known.askedAtMs < TRUST_MS ? known.generation : undefined;
  }

  /** To be taken before the command is sent whose answer is to be learned. */
  get changes(): number {
    return this.#changes;
  }

  /** What a command answered, unless something was forgotten since it was sent: it may be older than that news. */
  learn(generationKey: string, generation: Buffer, askedAtMs: number, changes: number): void {
    if (changes === this.#changes && this.#feed.live) this.#known.set(generationKey, { generation, askedAtMs });
  }

  forget(generationKey: string): void {
    this.#changes++;
    this.#known.delete(generationKey);
  }

  forgetAll(): void {
    this.#changes++;
    this.#known.clear();
  }
}
