import type { InvalidationFeed, RedisConnection } from '@tierkit/redis';
import { freshGeneration } from './fresh-generation.ts';
import { rootGeneration } from './redis-scripts/root-generation.ts';

/** The longest that a known generation is trusted without asking; it bounds how long a lost one goes unnoticed. */
const TRUST_MS = 3_000;

/** The generation of a root tier, kept while the feed would tell of a new one and fetched otherwise. */
export class RootGenerationCache {
  readonly #redis: RedisConnection;
  readonly #feed: InvalidationFeed;
  readonly #key: string;
  #known: Buffer | undefined;
  #askedAtMs = 0;
  #asking: ReturnType<typeof rootGeneration.run> | undefined;
  #longestTtlMs = 86_400_000;

  constructor(redis: RedisConnection, feed: InvalidationFeed, key: string) {
    this.#redis = redis;
    this.#feed = feed;
    this.#key = key;
  }

  /** The generation if it can be trusted now without asking Redis. */
  get current(): Buffer | undefined {
    return this.#feed.live && performance.now() - this.#askedAtMs < TRUST_MS ? this.#known : undefined;
  }

  /** @param ttlMs the time to live of what is about to be written, which the generation has to outlive */
  async get(ttlMs: number): Promise<Buffer> {
    if (ttlMs > this.#longestTtlMs) {
      this.#longestTtlMs = ttlMs;
      this.forget();
    }
    return this.current ?? (this.#asking === undefined ? this.#ask() : (await this.#asking).generation);
  }

  forget(): void {
    this.#known = undefined;
    this.#asking = undefined;
  }

  async #ask(): Promise<Buffer> {
    const askedAtMs = performance.now();
    const args = { freshGeneration: freshGeneration(), ttlMs: this.#longestTtlMs };
    const asking = rootGeneration.run(this.#redis, { generation: this.#key }, args);
    this.#asking = asking;
    try {
      const { generation, kept } = await asking;
      // One that an invalidation overtook, or that nobody else will see, is good for these callers only.
      if (kept && this.#asking === asking) {
        this.#known = generation;
        this.#askedAtMs = askedAtMs;
      }
      return generation;
    } finally {
      if (this.#asking === asking) this.#asking = undefined;
    }
  }
}
