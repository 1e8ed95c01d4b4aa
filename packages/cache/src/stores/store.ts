import type { FoundPage, KeyQuery } from '../inspection/key-query.ts';
import type { ScopeAddress } from '../scope-address.ts';
import type { StampedTags, TagStamp } from '../tags/stamped-tags.ts';

/**
 * The second level of a cache: what a driver has to do. Keys are full names that already carry the scope's prefix.
 *
 * - An entry exists while its time to live runs and its generation is the scope's, and none of its tags was invalidated after
 *   the stamps that it has of them; what does not exist is never shown.
 * - Every method either resolves with the change made, or rejects with a `TierkitError` within a bounded time; after a
 *   rejection the change may or may not be made.
 * - A change is announced to other instances in the same atomic step that makes it. Fills and reads announce nothing.
 */
export interface CacheStore {
  /** Now, in the store's measure of how long a call may take. */
  readonly moment: number;
  read(scope: ScopeAddress, key: string): Promise<StoredEntry | undefined>;
  /** Rejects with `ERR_REDIS_REPLY` if there is something under the key that cannot be an entry, which a read may take for none. */
  refuseForeign(key: string): Promise<void>;
  /** One answer a key, in order; an Error for a key that could not be asked for, and it never rejects. */
  readMany(scope: ScopeAddress, keys: readonly string[]): Promise<(StoredEntry | Error | undefined)[]>;
  /**
   * Stores all entries and voids the leases of their keys.
   *
   * @param since the `moment` at which the call began that this is a part of: its time is bounded as a whole
   */
  write(scope: ScopeAddress, entries: readonly NewEntry[], lifetime: Lifetime, since?: number): Promise<void>;
  /** Removes entries and voids the leases of their keys, of keys without an entry as well. */
  remove(scope: ScopeAddress, keys: readonly string[]): Promise<void>;
  /** Ends all entries and leases of the scope at once, at a cost that does not depend on their number. */
  clear(scope: ScopeAddress): Promise<void>;
  /** As `clear`, for all scopes whose generation keys begin so, at a cost that grows with the keys in the store. */
  clearTier(prefix: string): Promise<void>;
  /** Removes the entry only while its bytes are still these. */
  discard(entry: StoredEntry): Promise<void>;
  /** A read of these keys met its deadline: what is there and larger than any entry is removed in the background. */
  suspectOversized(scope: ScopeAddress, keys: readonly string[]): void;
  /** Milliseconds that an entry stays fresh; `undefined` when there is none, or a known absence. */
  ttl(scope: ScopeAddress, key: string): Promise<number | undefined>;
  /**
   * Names of existing entries that match, in batches; an entry may come twice, one that came or went meanwhile may be
   * missing. Those that a plain read takes for a miss, stale ones and known absences, come with `hidden` only.
   */
  scan(scope: ScopeAddress, pattern: ScanPattern, hidden: boolean): AsyncIterable<string[]>;
  /**
   * One page of the keys of existing entries that are asked for, hidden ones included, at a bounded cost. An entry may
   * come on two pages; one that exists all the time is on one of them at least.
   *
   * @param cursor of the page before; another text is refused with `ERR_CACHE_CURSOR`
   */
  page(query: KeyQuery, limit: number, cursor: string | undefined): Promise<FoundPage>;
  /** Voids the leases of all keys that match: what is being loaded for them now will not be stored. */
  voidLeases(scope: ScopeAddress, pattern: ScanPattern): Promise<void>;
  /** Announces that all entries whose names match the pattern are gone. */
  announcePattern(scope: ScopeAddress, pattern: string): Promise<void>;
  /** The entry, or the right to load it, or news of whoever loads it or failed to: one atomic step. */
  claim(scope: ScopeAddress, key: string, request: ClaimRequest): Promise<Claim>;
  /** Removes the entry and takes the lease from whoever has it, so that this caller alone can fill the key. */
  beginWrite(scope: ScopeAddress, key: string, token: string, leaseMs: number): Promise<Lease>;
  /** Stores a loaded value if the lease is still held; ends the lease and wakes those who wait for it. */
  fill(scope: ScopeAddress, lease: Lease, entry: NewEntry, lifetime: Lifetime): Promise<boolean>;
  /** @returns whether the lease was still held. */
  renew(scope: ScopeAddress, lease: Lease, leaseMs: number): Promise<boolean>;
  /**
   * Gives the lease back without a value, and wakes those who wait for it. With a failure, nobody gets the lease for its
   * `backoffMs`; whoever claims it is told the message.
   */
  release(scope: ScopeAddress, lease: Lease, failure?: LoadFailure): Promise<void>;
}

export interface StoredEntry {
  readonly key: string;
  /** The whole envelope. */
  readonly bytes: Buffer;
  /** The envelope's, which tell how to open the payload. */
  readonly flags: number;
  readonly payload: Buffer;
  /** In the server's time, milliseconds since 1970. */
  readonly expiresAtMs: number;
  /** By the same clock; from then on the entry is stale. */
  readonly freshUntilMs: number;
  /** Undefined for an entry without tags. */
  readonly tags: StampedTags | undefined;
}

/** Both in milliseconds. */
export interface Lifetime {
  readonly ttlMs: number;
  /** How long the entry stays after its time to live, as a stale one. */
  readonly graceMs: number;
}

export interface ClaimRequest {
  /** Letters, digits, - and _ that no other claim has. */
  readonly token: string;
  readonly leaseMs: number;
  /** An entry that stays fresh for no longer than this is to be loaded anew. */
  readonly hitAboveMs: number;
  /** An entry that the caller cannot read: while its bytes are still these, it counts as none. */
  readonly unreadable: StoredEntry | undefined;
}

export interface LoadFailure {
  readonly message: string;
  readonly backoffMs: number;
}

export interface NewEntry {
  readonly key: string;
  readonly tags: StampedTags | undefined;
  readonly flags: number;
  /** No bytes without flags stand for a known absence. */
  readonly payload: Buffer;
}

export interface ScanPattern {
  /** The encoded pattern for the part after the scope's prefix. */
  readonly encoded: string;
  matches(encodedKey: string): boolean;
}

export interface Lease {
  readonly key: string;
  readonly token: string;
  /** The scope's generation when the lease was given. */
  readonly generation: Buffer;
  /** Where the scope's tags stood when the lease was given, if the same step could tell. */
  readonly tags: TagStamp | undefined;
}

export type Claim =
  | { readonly kind: 'hit'; readonly entry: StoredEntry }
  | { readonly kind: 'granted'; readonly lease: Lease; readonly stale: StoredEntry | undefined }
  | { readonly kind: 'held'; readonly remainingMs: number; readonly stale: StoredEntry | undefined }
  | {
      readonly kind: 'failed';
      readonly message: string;
      readonly remainingMs: number;
      readonly stale: StoredEntry | undefined;
    };

/** For scripts, whose time to live is that of the key. */
export function lifeArgs({ ttlMs, graceMs }: Lifetime): { ttlMs: number; freshMs: number } {
  return { ttlMs: ttlMs + graceMs, freshMs: ttlMs };
}
