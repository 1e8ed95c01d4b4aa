import type { ScopeAddress } from '../scope-address.ts';
import type { RedisStore, WriteArguments } from '../stores/redis-store.ts';
import { metaOf } from '../stores/redis-entries.ts';
import { DELETED } from './pending-record.ts';
import type { NewWrite } from './pending-store.ts';

const NONE = Buffer.alloc(0);
const HEADER_BYTES = 20;

/** What the script needs for changing the cached entries. */
interface CacheArguments {
  readonly keys: readonly string[];
  readonly args: WriteArguments & { readonly ttlMs: number; readonly hasGeneration: boolean };
}

/** Where the cached entries are on another server, or in other slots. */
export const withoutCache: CacheArguments = {
  keys: [],
  args: { ttlMs: 0, hasGeneration: false, knownGeneration: NONE, freshGeneration: NONE, channel: '', message: '' },
};

export function cachedWrites(store: RedisStore, scope: ScopeAddress, writes: readonly NewWrite[]): CacheArguments {
  const { entriesAndLeases, generation, args } = store.writing(
    scope,
    writes.map(({ key }) => key),
  );
  let ttlMs = 1;
  for (const { lifetime } of writes) ttlMs = Math.max(ttlMs, lifetime.ttlMs + lifetime.graceMs);
  return { keys: [...entriesAndLeases, ...generation], args: { ttlMs, hasGeneration: generation.length > 0, ...args } };
}

/** What the script has to know of a write besides its payload. */
export function headerOf({ name, deleted, sealed, tags, lifetime }: NewWrite): Buffer {
  const meta = metaOf({ key: '', tags, ...sealed });
  const header = Buffer.allocUnsafe(HEADER_BYTES + meta.length + Buffer.byteLength(name));
  header.writeDoubleBE(lifetime.ttlMs + lifetime.graceMs, 0);
  header.writeDoubleBE(lifetime.ttlMs, 8);
  header[16] = sealed.flags;
  header[17] = deleted ? DELETED : 0;
  header.writeUInt16BE(meta.length, 18);
  header.set(meta, HEADER_BYTES);
  header.write(name, HEADER_BYTES + meta.length);
  return header;
}
