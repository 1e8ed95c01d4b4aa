import type { RedisConnection } from '@tierkit/redis';
import type { ScopeAddress } from '../scope-address.ts';
import { inBatches } from './batches.ts';
import type { RedisEntries } from './redis-entries.ts';
import type { RedisGenerations } from './redis-generations.ts';
import { isGeneration } from './redis-keyspace.ts';
import type { StoredEntry } from './store.ts';

/** Reads of entries: with the scope's generation, where that is not known already. */
export class RedisReads {
  readonly #redis: RedisConnection;
  readonly #entries: RedisEntries;
  readonly #generations: RedisGenerations;

  constructor(redis: RedisConnection, entries: RedisEntries, generations: RedisGenerations) {
    this.#redis = redis;
    this.#entries = entries;
    this.#generations = generations;
  }

  async one(scope: ScopeAddress, key: string): Promise<StoredEntry | undefined> {
    const since = this.#redis.moment;
    if (scope.scoped) {
      const known = this.#generations.scopes.get(scope.generationKey);
      if (known !== undefined) {
        const bytes = await this.#redis.execute((client) => client.getBuffer(key), undefined, 'GET');
        if (bytes === null) return undefined;
        // Another generation than the known one may be a newer one as well as an ended one.
        if (isGeneration(bytes, known))
          return this.#entries.current(scope, this.#entries.parse(key, bytes, known), since);
      }
      return this.#entries.current(scope, await this.#readScoped(scope, key, since), since);
    }
    const root = this.#generations.root(scope);
    const known = root.current;
    if (known !== undefined) {
      const bytes = await this.#redis.execute((client) => client.getBuffer(key), undefined, 'GET');
      return bytes === null ? undefined : this.#entries.current(scope, this.#entries.parse(key, bytes, known), since);
    }
    const reading = this.#redis.execute((client) => client.getBuffer(key), undefined, 'GET');
    const [bytes, generation] = await Promise.all([reading, root.get(0)]);
    return bytes === null
      ? undefined
      : this.#entries.current(scope, this.#entries.parse(key, bytes, generation), since);
  }

  async many(scope: ScopeAddress, keys: readonly string[]): Promise<(StoredEntry | Error | undefined)[]> {
    let failure: Error | undefined;
    const batches = await inBatches(
      keys,
      this.#generations.batchOf(scope),
      async (batch): Promise<(StoredEntry | Error | undefined)[]> => {
        try {
          // What failed once is not asked for again and again.
          if (failure !== undefined) throw failure;
          const [only = ''] = batch;
          return this.#generations.inOneSlot(scope)
            ? await this.#readBatch(scope, batch)
            : [await this.one(scope, only)];
        } catch (error) {
          failure = error as Error;
          return batch.map(() => error as Error);
        }
      },
    );
    return batches.flat();
  }

  async #readScoped(scope: ScopeAddress, key: string, since: number): Promise<StoredEntry | undefined> {
    const { scopes } = this.#generations;
    const { changes } = scopes;
    const askedAtMs = performance.now();
    const [bytes, generation] = await this.#redis.execute(
      (client) => client.mgetBuffer(key, scope.generationKey),
      since,
      'MGET',
    );
    if (generation == null) return undefined;
    scopes.learn(scope.generationKey, generation, askedAtMs, changes);
    return bytes == null ? undefined : this.#entries.parse(key, bytes, generation);
  }

  async #readBatch(scope: ScopeAddress, keys: readonly string[]): Promise<(StoredEntry | undefined)[]> {
    const since = this.#redis.moment;
    const named = scope.scoped ? [...keys, scope.generationKey] : keys;
    const reading = this.#redis.execute((client) => client.mgetBuffer(...named), undefined, 'MGET');
    const [replies, known] = await Promise.all([
      reading,
      scope.scoped ? undefined : this.#generations.root(scope).get(0),
    ]);
    const generation = known ?? replies[keys.length] ?? undefined;
    const entries = keys.map((key, index) => {
      const bytes = replies[index];
      return bytes == null ? undefined : this.#entries.parse(key, bytes, generation);
    });
    return this.#entries.currentOf(scope, entries, since);
  }
}
