import { createHash } from 'node:crypto';
import { parseEnvelope } from '@tierkit/core';
import type { InvalidationFeed, RedisConnection } from '@tierkit/redis';
import { inBatches } from './batches.ts';
import { freshGeneration, freshName } from './fresh-generation.ts';
import { KnownGenerations } from './known-generations.ts';
import { encodeInvalidation } from './invalidation-message.ts';
import { OversizedValues } from './oversized-values.ts';
import type { Reclaimer } from './reclaimer.ts';
import { isGeneration, RedisKeyspace } from './redis-keyspace.ts';
import { beginWrite } from './redis-scripts/begin-write.ts';
import { claimLoad } from './redis-scripts/claim-load.ts';
import { clearScope } from './redis-scripts/clear-scope.ts';
import { discardEntry } from './redis-scripts/discard-entry.ts';
import { fillEntry } from './redis-scripts/fill-entry.ts';
import { releaseLease } from './redis-scripts/release-lease.ts';
import { removeEntries } from './redis-scripts/remove-entries.ts';
import { renewLease } from './redis-scripts/renew-lease.ts';
import { writeEntries } from './redis-scripts/write-entries.ts';
import { writeEntry } from './redis-scripts/write-entry.ts';
import { RootGenerationCache } from './root-generation-cache.ts';
import { leaseKey, type ScopeAddress } from '../scope-address.ts';
import { decodeStampedTags, encodeStampedTags } from '../tags/stamped-tags.ts';
import type {
  CacheStore,
  Claim,
  ClaimRequest,
  Lease,
  Lifetime,
  LoadFailure,
  NewEntry,
  ScanPattern,
  StoredEntry,
} from './store.ts';
import type { TagTables } from '../tags/tag-tables.ts';

const NONE = Buffer.alloc(0);
/** Keys of one script or command. */
const BATCH = 500;
/** How long the generation of a cleared root lives at least; writers extend it. */
const ROOT_TTL_MS = 172_800_000;

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
  readonly #tags: TagTables;
  readonly #reclaimer: Reclaimer | undefined;
  readonly #onCorrupt: (key: string) => void;
  readonly #oversized: OversizedValues;
  readonly #roots = new Map<string, RootGenerationCache>();
  readonly #keyspace: RedisKeyspace;
  readonly #known: KnownGenerations;

  constructor(options: RedisStoreOptions) {
    this.#redis = options.redis;
    this.#feed = options.feed;
    this.#origin = options.origin;
    this.#tags = options.tags;
    this.#reclaimer = options.reclaimer;
    this.#onCorrupt = options.onCorrupt;
    this.#oversized = new OversizedValues(options.redis, options.maxEntryBytes, options.onCorrupt);
    this.#known = new KnownGenerations(options.feed);
    this.#keyspace = new RedisKeyspace(options.redis, options.tags, (scope) => this.#root(scope).get(0));
  }

  get moment(): number {
    return this.#redis.moment;
  }

  /** Another instance cleared the scope: a root generation that is known here is out of date. */
  forgetGeneration(generationKey: string): void {
    this.#roots.get(generationKey)?.forget();
    this.#known.forget(generationKey);
  }

  /** News may have been missed: no known generation can be trusted. */
  forgetGenerations(): void {
    for (const root of this.#roots.values()) root.forget();
    this.#known.forgetAll();
  }

  async read(scope: ScopeAddress, key: string): Promise<StoredEntry | undefined> {
    const since = this.#redis.moment;
    if (scope.scoped) {
      const known = this.#known.get(scope.generationKey);
      if (known !== undefined) {
        const bytes = await this.#redis.execute((client) => client.getBuffer(key));
        if (bytes === null) return undefined;
        // Another generation than the known one may be a newer one as well as an ended one.
        if (isGeneration(bytes, known)) return this.#current(scope, this.#live(key, bytes, known), since);
      }
      return this.#current(scope, await this.#readScoped(scope, key, since), since);
    }
    const root = this.#root(scope);
    const known = root.current;
    if (known !== undefined) {
      const bytes = await this.#redis.execute((client) => client.getBuffer(key));
      return bytes === null ? undefined : this.#current(scope, this.#live(key, bytes, known), since);
    }
    const reading = this.#redis.execute((client) => client.getBuffer(key));
    const [bytes, generation] = await Promise.all([reading, root.get(0)]);
    return bytes === null ? undefined : this.#current(scope, this.#live(key, bytes, generation), since);
  }

  async readMany(scope: ScopeAddress, keys: readonly string[]): Promise<(StoredEntry | Error | undefined)[]> {
    let failure: Error | undefined;
    const batches = await inBatches(
      keys,
      this.#batchOf(scope),
      async (batch): Promise<(StoredEntry | Error | undefined)[]> => {
        try {
          // What failed once is not asked for again and again.
          if (failure !== undefined) throw failure;
          const [only = ''] = batch;
          return this.#inOneSlot(scope) ? await this.#readBatch(scope, batch) : [await this.read(scope, only)];
        } catch (error) {
          failure = error as Error;
          return batch.map(() => error as Error);
        }
      },
    );
    return batches.flat();
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
      this.#batchOf(scope),
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
    await inBatches(keys, this.#batchOf(scope), (batch) => {
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
    await this.#redis.execute((client) => client.publish(channel, message));
  }

  async discard(entry: StoredEntry): Promise<void> {
    await discardEntry.run(this.#redis, { entry: entry.key }, { bytes: entry.bytes });
  }

  suspectOversized(key: string): void {
    this.#oversized.suspect(key);
  }

  ttl(scope: ScopeAddress, key: string): Promise<number | undefined> {
    return this.#keyspace.ttl(scope, key);
  }

  scan(scope: ScopeAddress, pattern: ScanPattern, hidden: boolean): AsyncIterable<string[]> {
    return this.#keyspace.scan(scope, pattern, hidden);
  }

  voidLeases(scope: ScopeAddress, pattern: ScanPattern): Promise<void> {
    return this.#keyspace.voidLeases(scope, pattern);
  }

  async announcePattern(scope: ScopeAddress, pattern: string): Promise<void> {
    const { channel, message } = this.#announce({ kind: 'pattern', generationKey: scope.generationKey, pattern });
    await this.#redis.execute((client) => client.publish(channel, message));
  }

  claim(scope: ScopeAddress, key: string, request: ClaimRequest): Promise<Claim> {
    return this.#claim(scope, key, request, this.moment);
  }

  async #claim(scope: ScopeAddress, key: string, request: ClaimRequest, since: number): Promise<Claim> {
    const { token, leaseMs, hitAboveMs, unreadable } = request;
    const known = (await this.#knownGeneration(scope, 0)).toString('latin1');
    const generation = [...this.#generationKeys(scope), ...(scope.scoped ? [scope.tagsKey] : [])];
    const keys = { entry: key, lease: leaseKey(scope, key), generation };
    const args = {
      ttlMs: leaseMs,
      knownGeneration: known,
      freshGeneration: freshName(),
      token,
      leaseMs,
      unreadable: sha1(unreadable),
      hitAboveMs,
    };
    const reply = await claimLoad.run(this.#redis, keys, args, since);
    if (reply.kind === 'hit') {
      const entry = this.#live(key, reply.bytes, undefined, true);
      if (entry === undefined) return { kind: 'held', remainingMs: 0, stale: undefined };
      const current = entry.tags === undefined || (await this.#tags.isCurrent(scope, entry.tags, since));
      // While its bytes are these it counts as none; what takes its place is looked at in its turn.
      return current ? { kind: 'hit', entry } : this.#claim(scope, key, { ...request, unreadable: entry }, since);
    }
    const found = reply.stale.length === 0 ? undefined : this.#live(key, reply.stale, undefined, true);
    // What is granted is granted, whether or not the tags of what it replaces can be told.
    const stale = await Promise.resolve(this.#current(scope, found, since)).catch(() => undefined);
    if (reply.kind === 'held') return { ...reply, stale };
    if (reply.kind === 'failed') return { ...reply, stale, message: reply.note.toString('utf8') };
    const tags = scope.scoped ? reply.tags : undefined;
    return { kind: 'granted', lease: { key, token, generation: reply.generation, tags }, stale };
  }

  async beginWrite(scope: ScopeAddress, key: string, token: string, leaseMs: number): Promise<Lease> {
    const since = this.moment;
    const generation = await beginWrite.run(
      this.#redis,
      { entry: key, ...this.#leaseKeys(scope, { key }) },
      {
        ttlMs: leaseMs,
        knownGeneration: await this.#knownGeneration(scope, 0),
        freshGeneration: freshGeneration(),
        token,
        leaseMs,
        ...this.#announce({ kind: 'keys', keys: [key] }),
      },
      since,
    );
    return { key, token, generation, tags: undefined };
  }

  async fill(scope: ScopeAddress, lease: Lease, entry: NewEntry, lifetime: Lifetime): Promise<boolean> {
    const since = this.moment;
    const life = lifeArgs(lifetime);
    // Where the script cannot extend the generation: it has to outlive the entry.
    await this.#knownGeneration(scope, life.ttlMs);
    return fillEntry.run(
      this.#redis,
      { entry: entry.key, ...this.#leaseKeys(scope, lease) },
      {
        ...life,
        ...this.#leaseArgs(lease),
        flags: entry.flags,
        meta: metaOf(entry),
        payload: entry.payload,
      },
      since,
    );
  }

  async renew(scope: ScopeAddress, lease: Lease, leaseMs: number): Promise<boolean> {
    const args = { grantedGeneration: lease.generation, token: lease.token, leaseMs };
    return renewLease.run(this.#redis, this.#leaseKeys(scope, lease), args);
  }

  async release(scope: ScopeAddress, lease: Lease, failure?: LoadFailure): Promise<void> {
    const note = { note: failure?.message ?? '', noteMs: failure?.backoffMs ?? 0 };
    await releaseLease.run(this.#redis, this.#leaseKeys(scope, lease), { ...this.#leaseArgs(lease), ...note });
  }

  async #readScoped(scope: ScopeAddress, key: string, since: number): Promise<StoredEntry | undefined> {
    const { changes } = this.#known;
    const askedAtMs = performance.now();
    const [bytes, generation] = await this.#redis.execute(
      (client) => client.mgetBuffer(key, scope.generationKey),
      since,
    );
    if (generation == null) return undefined;
    this.#known.learn(scope.generationKey, generation, askedAtMs, changes);
    return bytes == null ? undefined : this.#live(key, bytes, generation);
  }

  /** The generation for scripts to look up, where it is on the server of every entry. */
  #generationKeys(scope: ScopeAddress): string[] {
    return this.#inOneSlot(scope) ? [scope.generationKey] : [];
  }

  /** The generation for scripts that cannot look it up. */
  async #knownGeneration(scope: ScopeAddress, ttlMs: number): Promise<Buffer> {
    return this.#inOneSlot(scope) ? NONE : this.#root(scope).get(ttlMs);
  }

  /** Whether one command may name any keys of the scope. */
  #inOneSlot(scope: ScopeAddress): boolean {
    return scope.scoped || this.#redis.topology !== 'cluster';
  }

  /** How many keys of the scope one command may name. */
  #batchOf(scope: ScopeAddress): number {
    return this.#inOneSlot(scope) ? BATCH : 1;
  }

  async #readBatch(scope: ScopeAddress, keys: readonly string[]): Promise<(StoredEntry | undefined)[]> {
    const since = this.moment;
    const named = scope.scoped ? [...keys, scope.generationKey] : keys;
    const reading = this.#redis.execute((client) => client.mgetBuffer(...named));
    const [replies, known] = await Promise.all([reading, scope.scoped ? undefined : this.#root(scope).get(0)]);
    const generation = known ?? replies[keys.length] ?? undefined;
    const entries = keys.map((key, index) => {
      const bytes = replies[index];
      return bytes == null ? undefined : this.#live(key, bytes, generation);
    });
    return this.#currentOf(scope, entries, since);
  }

  async #writeBatch(scope: ScopeAddress, batch: readonly NewEntry[], lifetime: Lifetime, since: number): Promise<void> {
    const keys = batch.flatMap(({ key }) => [key, leaseKey(scope, key)]);
    const life = lifeArgs(lifetime);
    await writeEntries.run(
      this.#redis,
      { generationEntriesAndLeases: [...this.#generationKeys(scope), ...keys] },
      {
        ...life,
        hasGeneration: this.#inOneSlot(scope),
        knownGeneration: await this.#knownGeneration(scope, life.ttlMs),
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
    const known = await this.#knownGeneration(scope, life.ttlMs);
    await writeEntry.run(
      this.#redis,
      { entry: key, lease: leaseKey(scope, key), generation: this.#generationKeys(scope) },
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

  #leaseKeys(scope: ScopeAddress, lease: { readonly key: string }): { lease: string; generation: string[] } {
    return { lease: leaseKey(scope, lease.key), generation: this.#generationKeys(scope) };
  }

  #leaseArgs(lease: Lease): { grantedGeneration: Buffer; token: string; channel: string; message: string } {
    const news = this.#announce({ kind: 'loaded', key: lease.key });
    return { grantedGeneration: lease.generation, token: lease.token, ...news };
  }

  #announce(invalidation: Parameters<typeof encodeInvalidation>[1]): { channel: string; message: string } {
    return { channel: this.#feed.channel, message: encodeInvalidation(this.#origin, invalidation) };
  }

  #root(scope: ScopeAddress): RootGenerationCache {
    let root = this.#roots.get(scope.generationKey);
    if (root === undefined) {
      root = new RootGenerationCache(this.#redis, this.#feed, scope.generationKey);
      this.#roots.set(scope.generationKey, root);
    }
    return root;
  }

  #live(key: string, bytes: Buffer, generation: Buffer | undefined, any = false): StoredEntry | undefined {
    const envelope = parseEnvelope(bytes);
    if (typeof envelope === 'string') {
      if (envelope === 'corrupt') {
        this.#drop(key, bytes);
      }
      return undefined;
    }
    if (!any && (generation === undefined || !isGeneration(bytes, generation))) return undefined;
    const { flags, meta, payload, expiresAtMs, freshUntilMs } = envelope;
    const tags = meta.length === 0 ? undefined : decodeStampedTags(meta);
    if (meta.length > 0 && tags === undefined) {
      this.#drop(key, bytes);
      return undefined;
    }
    return { key, bytes, flags, payload, expiresAtMs, freshUntilMs, tags };
  }

  #drop(key: string, bytes: Buffer): void {
    this.#onCorrupt(key);
    discardEntry.run(this.#redis, { entry: key }, { bytes }).catch(() => {});
  }

  /** The entry unless one of its tags was invalidated. */
  #current(scope: ScopeAddress, entry: StoredEntry | undefined, since: number): MaybePromise<StoredEntry | undefined> {
    if (entry?.tags === undefined) return entry;
    const current = this.#tags.isCurrent(scope, entry.tags, since);
    if (typeof current === 'boolean') return current ? entry : undefined;
    return current.then((one) => (one ? entry : undefined));
  }

  async #currentOf(
    scope: ScopeAddress,
    entries: readonly (StoredEntry | undefined)[],
    since: number,
  ): Promise<(StoredEntry | undefined)[]> {
    const tagged = entries.filter((entry) => entry?.tags !== undefined);
    if (tagged.length === 0) return [...entries];
    const tags = tagged.flatMap((entry) => entry?.tags ?? []);
    const current = await this.#tags.areCurrent(scope, tags, since);
    const ended = new Set(tagged.filter((_, index) => current[index] !== true));
    return entries.map((entry) => (ended.has(entry) ? undefined : entry));
  }
}

type MaybePromise<T> = T | Promise<T>;

function metaOf(entry: NewEntry | undefined): Buffer {
  return entry?.tags === undefined ? NONE : encodeStampedTags(entry.tags);
}

/** For the scripts, the time to live is that of the key. */
function lifeArgs({ ttlMs, graceMs }: Lifetime): { ttlMs: number; freshMs: number } {
  return { ttlMs: ttlMs + graceMs, freshMs: ttlMs };
}

function sha1(entry: StoredEntry | undefined): string {
  return entry === undefined ? '' : createHash('sha1').update(entry.bytes).digest('hex');
}
