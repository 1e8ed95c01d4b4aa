import type { InvalidationFeed, RedisConnection } from '@tierkit/redis';
import type { ScopeAddress } from '../scope-address.ts';
import { KnownGenerations } from './known-generations.ts';
import { RootGenerationCache } from './root-generation-cache.ts';

const NONE = Buffer.alloc(0);
const BATCH = 500;

/** The generations of scopes and roots: which are known here, and which a script can look up by itself. */
export class RedisGenerations {
  /** Those of scopes, as reads brought them along. */
  readonly scopes: KnownGenerations;
  readonly #redis: RedisConnection;
  readonly #feed: InvalidationFeed;
  readonly #roots = new Map<string, RootGenerationCache>();

  constructor(redis: RedisConnection, feed: InvalidationFeed) {
    this.#redis = redis;
    this.#feed = feed;
    this.scopes = new KnownGenerations(feed);
  }

  root(scope: ScopeAddress): RootGenerationCache {
    let root = this.#roots.get(scope.generationKey);
    if (root === undefined) {
      root = new RootGenerationCache(this.#redis, this.#feed, scope.generationKey);
      this.#roots.set(scope.generationKey, root);
    }
    return root;
  }

  /** Another generation took the place of the one that is known here. */
  forget(generationKey: string): void {
    this.#roots.get(generationKey)?.forget();
    this.scopes.forget(generationKey);
  }

  /** News may have been missed: no known generation can be trusted. */
  forgetAll(): void {
    for (const root of this.#roots.values()) root.forget();
    this.scopes.forgetAll();
  }

  /** Whether one command may name any keys of the scope, the generation among them. */
  inOneSlot(scope: ScopeAddress): boolean {
    return scope.scoped || this.#redis.topology !== 'cluster';
  }

  /** The generation for scripts to look up, where it is on the server of every entry. */
  keysOf(scope: ScopeAddress): string[] {
    return this.inOneSlot(scope) ? [scope.generationKey] : [];
  }

  /** How many keys of the scope one command or script may name. */
  batchOf(scope: ScopeAddress): number {
    return this.inOneSlot(scope) ? BATCH : 1;
  }

  /** The generation for scripts that cannot look it up; empty for those that can. */
  async knownOf(scope: ScopeAddress, ttlMs: number): Promise<Buffer> {
    return this.inOneSlot(scope) ? NONE : this.root(scope).get(ttlMs);
  }
}
