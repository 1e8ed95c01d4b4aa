import type { InvalidationFeed, RedisConnection } from '@tierkit/redis';
import type { FoundPage, KeyQuery } from '../inspection/key-query.ts';
import { redisKeyPage } from '../inspection/redis-key-pages.ts';
import { inBatches } from './batches.ts';
import { freshGeneration } from './fresh-generation.ts';
import { encodeInvalidation, type Announce, type Announced } from './invalidation-message.ts';
import { OversizedValues } from './oversized-values.ts';
import type { Reclaimer } from './reclaimer.ts';
import { metaOf, RedisEntries } from './redis-entries.ts';
import { RedisReads } from './redis-reads.ts';
import { RedisGenerations } from './redis-generations.ts';
import { RedisLeases } from './redis-leases.ts';
import { RedisKeyspace } from './redis-keyspace.ts';
import { clearScope } from './redis-scripts/clear-scope.ts';
import { discardEntry } from './redis-scripts/discard-entry.ts';
import { removeEntries } from './redis-scripts/remove-entries.ts';
import { writeEntries } from './redis-scripts/write-entries.ts';
import { writeEntry } from './redis-scripts/write-entry.ts';
import { leaseKey, type ScopeAddress } from '../scope-address.ts';
import {
  lifeArgs,
  type CacheStore,
  type Claim,
  type ClaimRequest,
  type Lease,
  type Lifetime,
  type LoadFailure,
  type NewEntry,
  type ScanPattern,
  type StoredEntry,
} from './store.ts';
import type { TagTables } from '../tags/tag-tables.ts';

const NONE = Buffer.alloc(0);
/** How long the generation of a cleared root lives at least; writers extend it. */
const ROOT_TTL_MS = 172_800_000;

/** Of each script that writes: how it stamps entries, and how it announces them. */
export interface WriteArguments {
  readonly knownGeneration: Buffer;
  readonly freshGeneration: Buffer;
  readonly channel: string;
  readonly message: string;
}

export interface RedisStoreOptions {
  readonly redis: RedisConnection;
  readonly feed: InvalidationFeed;
  /** 12 characters that mark messages of this instance. */
  readonly origin: string;
  readonly tags: TagTables;
  readonly reclaimer: Reclaimer | undefined;
  /** Called for bytes that are no envelope; they are removed. */
  readonly onCorrupt: (key: string) => void;
  /** More than that no entry takes. */
  readonly maxEntryBytes: number;
}

/** The second level on Redis, standalone or Cluster: every change is one script that also announces it. */
export class RedisStore implements CacheStore {
  readonly #redis: RedisConnection;
  readonly #feed: InvalidationFeed;
  readonly #origin: string;
  readonly #reclaimer: Reclaimer | undefined;
  readonly #reads: RedisReads;
  readonly #oversized: OversizedValues;
  readonly #generations: RedisGenerations;
  readonly #leases: RedisLeases;
  readonly #keyspace: RedisKeyspace;

  constructor(options: RedisStoreOptions) {
    this.#redis = options.redis;
    this.#feed = options.feed;
    this.#origin = options.origin;
    this.#reclaimer = options.reclaimer;
    const entries = new RedisEntries(options.redis, options.tags, options.onCorrupt);
    this.#generations = new RedisGenerations(options.redis, options.feed);
    this.#reads = new RedisReads(options.redis, entries, this.#generations);
    this.#oversized = new OversizedValues(options.redis, options.maxEntryBytes, options.onCorrupt);
    this.#leases = new RedisLeases({
      redis: options.redis,
      entries,
      generations: this.#generations,
      tags: options.tags,
      announce: (news) => this.#announce(news),
    });
    this.#keyspace = new RedisKeyspace(options.redis, options.tags, (scope) => this.#generations.root(scope).get(0));
  }

  get moment(): number {
    return this.#redis.moment;
  }

  /** Another instance cleared the scope: a root generation that is known here is out of date. */
  forgetGeneration(generationKey: string): void {
    this.#generations.forget(generationKey);
  }

  /** News may have been missed: no known generation can be trusted. */
  forgetGenerations(): void {
    this.#generations.forgetAll();
  }

  read(scope: ScopeAddress, key: string): Promise<StoredEntry | undefined> {
    return this.#reads.one(scope, key);
  }

  async refuseForeign(key: string): Promise<void> {
    // It does nothing but to refuse other types, on which MGET answers as if there were nothing.
    await this.#redis.execute((client) => client.strlen(key));
  }

  readMany(scope: ScopeAddress, keys: readonly string[]): Promise<(StoredEntry | Error | undefined)[]> {
    return this.#reads.many(scope, keys);
  }

  async write(
    scope: ScopeAddress,
    entries: readonly NewEntry[],
    lifetime: Lifetime,
    since: number = this.moment,
  ): Promise<void> {
    const [only] = entries;
    if (entries.length === 1 && only !== undefined) return this.#writeOne(scope, only, lifetime, since);
    await inBatches(
      entries,
      this.#generations.batchOf(scope),
      (batch, first) => {
        const [one] = batch;
        const began = first ? since : this.moment;
        if (batch.length === 1 && one !== undefined) return this.#writeOne(scope, one, lifetime, began);
        return this.#writeBatch(scope, batch, lifetime, began);
      },
      ({ payload }) => payload.length,
    );
  }

  async remove(scope: ScopeAddress, keys: readonly string[]): Promise<void> {
    await inBatches(keys, this.#generations.batchOf(scope), (batch) => {
      const entriesAndLeases = batch.flatMap((key) => [key, leaseKey(scope, key)]);
      return removeEntries.run(this.#redis, { entriesAndLeases }, this.#announce({ kind: 'keys', keys: batch }));
    });
  }

  async clear(scope: ScopeAddress): Promise<void> {
    const { generationKey } = scope;
    const args = {
      freshGeneration: scope.scoped ? NONE : freshGeneration(),
      ttlMs: ROOT_TTL_MS,
      ...this.#announce({ kind: 'scope', generationKey }),
    };
    this.forgetGeneration(generationKey);
    const ended = await clearScope.run(this.#redis, { generation: generationKey }, args);
    this.forgetGeneration(generationKey);
    if (ended !== null) this.#reclaimer?.add(scope, ended);
  }

  async clearTier(prefix: string): Promise<void> {
    await this.#keyspace.unlinkGenerations(prefix);
    const { channel, message } = this.#announce({ kind: 'tier', prefix });
    this.forgetGenerations();
    await this.#redis.execute((client) => client.publish(channel, message), undefined, 'PUBLISH');
  }

  async discard(entry: StoredEntry): Promise<void> {
    // Nothing so large is worth sending back to be compared.
    if (this.#oversized.is(entry.bytes)) return this.#oversized.suspect([entry.key]);
    await discardEntry.run(this.#redis, { entry: entry.key }, { bytes: entry.bytes });
  }

  suspectOversized(scope: ScopeAddress, keys: readonly string[]): void {
    const size = this.#generations.batchOf(scope);
    for (let from = 0; from < keys.length; from += size) this.#oversized.suspect(keys.slice(from, from + size));
  }

  ttl(scope: ScopeAddress, key: string): Promise<number | undefined> {
    return this.#keyspace.ttl(scope, key);
  }

  scan(scope: ScopeAddress, pattern: ScanPattern, hidden: boolean): AsyncIterable<string[]> {
    return this.#keyspace.scan(scope, pattern, hidden);
  }

  page(query: KeyQuery, limit: number, cursor: string | undefined): Promise<FoundPage> {
    return redisKeyPage(this.#redis, this.#keyspace, query, limit, cursor);
  }

  voidLeases(scope: ScopeAddress, pattern: ScanPattern): Promise<void> {
    return this.#keyspace.voidLeases(scope, pattern);
  }

  async announcePattern(scope: ScopeAddress, pattern: string): Promise<void> {
    const { channel, message } = this.#announce({ kind: 'pattern', generationKey: scope.generationKey, pattern });
    await this.#redis.execute((client) => client.publish(channel, message), undefined, 'PUBLISH');
  }

  claim(scope: ScopeAddress, key: string, request: ClaimRequest): Promise<Claim> {
    return this.#leases.claim(scope, key, request, this.moment);
  }

  beginWrite(scope: ScopeAddress, key: string, token: string, leaseMs: number): Promise<Lease> {
    return this.#leases.beginWrite(scope, key, token, leaseMs);
  }

  fill(scope: ScopeAddress, lease: Lease, entry: NewEntry, lifetime: Lifetime): Promise<boolean> {
    return this.#leases.fill(scope, lease, entry, lifetime);
  }

  renew(scope: ScopeAddress, lease: Lease, leaseMs: number): Promise<boolean> {
    return this.#leases.renew(scope, lease, leaseMs);
  }

  release(scope: ScopeAddress, lease: Lease, failure?: LoadFailure): Promise<void> {
    return this.#leases.release(scope, lease, failure);
  }

  async #writeBatch(scope: ScopeAddress, batch: readonly NewEntry[], lifetime: Lifetime, since: number): Promise<void> {
    const keys = batch.flatMap(({ key }) => [key, leaseKey(scope, key)]);
    const life = lifeArgs(lifetime);
    await writeEntries.run(
      this.#redis,
      { generationEntriesAndLeases: [...this.#generations.keysOf(scope), ...keys] },
      {
        ...life,
        hasGeneration: this.#generations.inOneSlot(scope),
        knownGeneration: await this.#generations.knownOf(scope, life.ttlMs),
        freshGeneration: freshGeneration(),
        ...this.#announce({ kind: 'keys', keys: batch.map(({ key }) => key) }),
        meta: metaOf(batch[0]),
        flags: Buffer.from(batch.map(({ flags }) => flags)),
        payloads: batch.map(({ payload }) => payload),
      },
      since,
    );
  }

  async #writeOne(scope: ScopeAddress, entry: NewEntry, lifetime: Lifetime, since: number): Promise<void> {
    const { key, flags, payload } = entry;
    const life = lifeArgs(lifetime);
    const known = await this.#generations.knownOf(scope, life.ttlMs);
    await writeEntry.run(
      this.#redis,
      { entry: key, lease: leaseKey(scope, key), generation: this.#generations.keysOf(scope) },
      {
        ...life,
        knownGeneration: known,
        freshGeneration: freshGeneration(),
        ...this.#announce({ kind: 'keys', keys: [key] }),
        flags,
        meta: metaOf(entry),
        payload,
      },
      since,
    );
  }

  async announceBehind(tier: string): Promise<void> {
    const { channel, message } = this.#announce({ kind: 'behind', tier });
    await this.#redis.execute((client) => client.publish(channel, message));
  }

  /** What a script needs that writes entries of a scope in one slot beside something else. */
  writing(
    scope: ScopeAddress,
    keys: readonly string[],
  ): { readonly entriesAndLeases: string[]; readonly generation: string[]; readonly args: WriteArguments } {
    return {
      entriesAndLeases: keys.flatMap((key) => [key, leaseKey(scope, key)]),
      generation: this.#generations.keysOf(scope),
      args: {
        knownGeneration: NONE,
        freshGeneration: freshGeneration(),
        ...this.#announce({ kind: 'keys', keys: [...new Set(keys)] }),
      },
    };
  }

  #announce(invalidation: Announced): ReturnType<Announce> {
    return { channel: this.#feed.channel, message: encodeInvalidation(this.#origin, invalidation) };
  }
}
