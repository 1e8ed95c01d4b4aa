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

/** The names of the writes, and what else the script has to know of them besides their payloads. */
export function describeWrites(writes: readonly NewWrite[]): { readonly nameList: Buffer; readonly headers: Buffer } {
  const metas = writes.map(({ tags, sealed }) => (tags === undefined ? NONE : metaOf({ key: '', tags, ...sealed })));
  let nameBytes = 0;
  let headerBytes = 0;
  for (const [index, { name }] of writes.entries()) {
    nameBytes += 2 + Buffer.byteLength(name);
    headerBytes += HEADER_BYTES + (metas[index]?.length ?? 0);
  }
  const nameList = Buffer.allocUnsafe(nameBytes);
  const headers = Buffer.allocUnsafe(headerBytes);
  let nameAt = 0;
  let at = 0;
  for (const [index, { name, deleted, sealed, lifetime }] of writes.entries()) {
    const meta = metas[index] ?? NONE;
    const written = nameList.write(name, nameAt + 2);
    nameList.writeUInt16BE(written, nameAt);
    nameAt += 2 + written;
    headers.writeDoubleBE(lifetime.ttlMs + lifetime.graceMs, at);
    headers.writeDoubleBE(lifetime.ttlMs, at + 8);
    headers[at + 16] = sealed.flags;
    headers[at + 17] = deleted ? DELETED : 0;
    headers.writeUInt16BE(meta.length, at + 18);
    headers.set(meta, at + HEADER_BYTES);
    at += HEADER_BYTES + meta.length;
  }
  return { nameList, headers };
}
