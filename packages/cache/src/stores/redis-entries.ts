import { parseEnvelope } from '@tierkit/core';
import type { RedisConnection } from '@tierkit/redis';
import type { ScopeAddress } from '../scope-address.ts';
import { decodeStampedTags, encodeStampedTags } from '../tags/stamped-tags.ts';
import type { TagTables } from '../tags/tag-tables.ts';
import { isGeneration } from './redis-keyspace.ts';
import { discardEntry } from './redis-scripts/discard-entry.ts';
import type { NewEntry, StoredEntry } from './store.ts';

type MaybePromise<T> = T | Promise<T>;

/** What bytes that were read from Redis are: an entry that exists, one that ended, or none. */
export class RedisEntries {
  readonly #redis: RedisConnection;
  readonly #tags: TagTables;
  readonly #onCorrupt: (key: string) => void;

  constructor(redis: RedisConnection, tags: TagTables, onCorrupt: (key: string) => void) {
    this.#redis = redis;
    this.#tags = tags;
    this.#onCorrupt = onCorrupt;
  }

  /** The entry if it is of this generation. Bytes that are no envelope are removed. */
  parse(key: string, bytes: Buffer, generation: Buffer | 'any' | undefined): StoredEntry | undefined {
    const envelope = parseEnvelope(bytes);
    if (typeof envelope === 'string') {
      if (envelope === 'corrupt') this.#drop(key, bytes);
      return undefined;
    }
    if (generation !== 'any' && (generation === undefined || !isGeneration(bytes, generation))) return undefined;
    const { flags, meta, payload, expiresAtMs, freshUntilMs } = envelope;
    const tags = meta.length === 0 ? undefined : decodeStampedTags(meta);
    if (meta.length > 0 && tags === undefined) {
      this.#drop(key, bytes);
      return undefined;
    }
    return { key, bytes, flags, payload, expiresAtMs, freshUntilMs, tags };
  }

  /** The entry unless one of its tags was invalidated. */
  current(scope: ScopeAddress, entry: StoredEntry | undefined, since: number): MaybePromise<StoredEntry | undefined> {
    if (entry?.tags === undefined) return entry;
    const current = this.#tags.isCurrent(scope, entry.tags, since);
    if (typeof current === 'boolean') return current ? entry : undefined;
    return current.then((one) => (one ? entry : undefined));
  }

  /** As `current` for several entries at once. */
  async currentOf(
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

  #drop(key: string, bytes: Buffer): void {
    this.#onCorrupt(key);
    discardEntry.run(this.#redis, { entry: key }, { bytes }).catch(() => {});
  }
}

/** What an envelope says of the tags of its entry. */
export function metaOf(entry: NewEntry | undefined): Buffer {
  return entry?.tags === undefined ? Buffer.alloc(0) : encodeStampedTags(entry.tags);
}
