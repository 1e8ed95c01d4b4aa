import { TierkitError, type Clock } from '@tierkit/core';
import { LRUCache } from 'lru-cache';
import type { FoundPage, KeyQuery } from '../inspection/key-query.ts';
import { memoryKeyPage } from '../inspection/memory-key-page.ts';
import type { Announced } from './invalidation-message.ts';
import type { MemoryTagSource } from '../tags/memory-tag-source.ts';
import type { ScopeAddress } from '../scope-address.ts';
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

const ENTRY_OVERHEAD_BYTES = 100;

interface Entry extends StoredEntry {
  readonly generation: number;
}

interface HeldLease {
  readonly token: string;
  /** Nobody holds it: why the last load failed. */
  readonly note?: string;
  readonly generation: number;
  readonly expiresAtMs: number;
}

export interface MemoryStoreOptions {
  readonly clock: Clock;
  readonly maxEntries: number;
  readonly maxBytes: number;
  readonly tags: MemoryTagSource;
  /** Called with the name of a key whose load ended. */
  readonly onLoaded: (scope: ScopeAddress, key: string) => void;
  /** Called for every change, as it would be announced to other instances. */
  readonly onChange?: (news: Announced) => void;
}

/**
 * The second level in this process alone: for development, tests, and services of one instance. It counts time by the
 * local monotonic clock and holds encoded values, so values are as isolated as with Redis.
 */
export class MemoryStore implements CacheStore {
  readonly moment = 0;
  readonly #clock: Clock;
  readonly #entries: LRUCache<string, Entry>;
  readonly #leases: LRUCache<string, HeldLease>;
  readonly #generations: LRUCache<string, number>;
  readonly #tags: MemoryTagSource;
  readonly #onLoaded: (scope: ScopeAddress, key: string) => void;
  readonly #onChange: (news: Announced) => void;
  #lastGeneration = 0;
  #closed = false;

  constructor(options: MemoryStoreOptions) {
    this.#clock = options.clock;
    this.#onLoaded = options.onLoaded;
    this.#onChange = options.onChange ?? (() => {});
    this.#tags = options.tags;
    this.#entries = new LRUCache({ max: options.maxEntries, maxSize: options.maxBytes });
    this.#leases = new LRUCache({ max: options.maxEntries });
    this.#generations = new LRUCache({ max: options.maxEntries });
  }

  /** Ends it: what it held is gone, and every call rejects from then on. */
  close(): void {
    this.#closed = true;
    this.#entries.clear();
    this.#leases.clear();
    this.#generations.clear();
    this.#tags.close();
  }

  /** There is nothing else in this process. */
  async refuseForeign(): Promise<void> {}

  async read(scope: ScopeAddress, key: string): Promise<StoredEntry | undefined> {
    return this.#live(scope, key);
  }

  async readMany(scope: ScopeAddress, keys: readonly string[]): Promise<(StoredEntry | undefined)[]> {
    return keys.map((key) => this.#live(scope, key));
  }

  async write(scope: ScopeAddress, entries: readonly NewEntry[], lifetime: Lifetime): Promise<void> {
    for (const entry of entries) {
      this.#leases.delete(entry.key);
      this.#put(scope, entry, lifetime);
    }
    this.#onChange({ kind: 'keys', keys: entries.map(({ key }) => key) });
  }

  async remove(_scope: ScopeAddress, keys: readonly string[]): Promise<void> {
    this.#assertOpen();
    for (const key of keys) {
      this.#leases.delete(key);
      this.#entries.delete(key);
    }
    this.#onChange({ kind: 'keys', keys });
  }

  async clear(scope: ScopeAddress): Promise<void> {
    this.#assertOpen();
    this.#generations.set(scope.generationKey, ++this.#lastGeneration);
    this.#onChange({ kind: 'scope', generationKey: scope.generationKey });
  }

  async clearTier(prefix: string): Promise<void> {
    this.#assertOpen();
    for (const generationKey of Array.from(this.#generations.keys())) {
      if (generationKey.startsWith(prefix)) this.#generations.set(generationKey, ++this.#lastGeneration);
    }
    this.#onChange({ kind: 'tier', prefix });
  }

  /** What is too large was never taken. */
  suspectOversized(): void {}

  async discard(entry: StoredEntry): Promise<void> {
    if (this.#entries.peek(entry.key) === entry) this.#entries.delete(entry.key);
  }

  async ttl(scope: ScopeAddress, key: string): Promise<number | undefined> {
    const entry = this.#live(scope, key);
    return entry !== undefined && this.#shows(entry) ? entry.freshUntilMs - this.#clock.monotonic() : undefined;
  }

  async *scan(scope: ScopeAddress, pattern: ScanPattern, hidden: boolean): AsyncIterable<string[]> {
    this.#assertOpen();
    const found: string[] = [];
    // A look at an entry moves it within the list, so the names are taken first.
    for (const key of Array.from(this.#entries.keys())) {
      const name = key.slice(scope.prefix.length);
      if (!key.startsWith(scope.prefix) || name.includes('{') || !pattern.matches(name)) continue;
      const entry = this.#live(scope, key);
      if (entry !== undefined && (hidden || this.#shows(entry))) found.push(key);
    }
    yield found;
  }

  async voidLeases(scope: ScopeAddress, pattern: ScanPattern): Promise<void> {
    this.#assertOpen();
    for (const key of Array.from(this.#leases.keys())) {
      const name = key.slice(scope.prefix.length);
      if (key.startsWith(scope.prefix) && !name.includes('{') && pattern.matches(name)) this.#leases.delete(key);
    }
  }

  async page(query: KeyQuery, limit: number, cursor: string | undefined): Promise<FoundPage> {
    this.#assertOpen();
    // A look at an entry moves it within the list, so the names are taken first.
    const names = Array.from(this.#entries.keys());
    return memoryKeyPage(names, (scope, key) => this.#live(scope, key), query, limit, cursor);
  }

  async announcePattern({ generationKey }: ScopeAddress, pattern: string): Promise<void> {
    this.#onChange({ kind: 'pattern', generationKey, pattern });
  }

  async claim(scope: ScopeAddress, key: string, request: ClaimRequest): Promise<Claim> {
    const found = this.#live(scope, key);
    const entry = found === request.unreadable ? undefined : found;
    const nowMs = this.#clock.monotonic();
    if (entry !== undefined && entry.freshUntilMs - nowMs > request.hitAboveMs) return { kind: 'hit', entry };
    const generation = this.#generation(scope);
    const held = this.#leases.get(key);
    if (held !== undefined && held.generation === generation && nowMs < held.expiresAtMs) {
      const told = { remainingMs: held.expiresAtMs - nowMs, stale: entry };
      return held.note === undefined ? { kind: 'held', ...told } : { kind: 'failed', message: held.note, ...told };
    }
    const lease = this.#grant(scope, key, request.token, request.leaseMs);
    return { kind: 'granted', lease, stale: entry };
  }

  async beginWrite(scope: ScopeAddress, key: string, token: string, leaseMs: number): Promise<Lease> {
    this.#entries.delete(key);
    this.#onChange({ kind: 'keys', keys: [key] });
    return this.#grant(scope, key, token, leaseMs);
  }

  async fill(scope: ScopeAddress, lease: Lease, entry: NewEntry, lifetime: Lifetime): Promise<boolean> {
    const held = this.#holds(scope, lease);
    if (held) this.#put(scope, entry, lifetime);
    await this.release(scope, lease);
    return held;
  }

  async renew(scope: ScopeAddress, lease: Lease, leaseMs: number): Promise<boolean> {
    const held = this.#leases.get(lease.key);
    if (held === undefined || !this.#holds(scope, lease)) return false;
    this.#leases.set(lease.key, { ...held, expiresAtMs: this.#clock.monotonic() + leaseMs });
    return true;
  }

  async release(scope: ScopeAddress, lease: Lease, failure?: LoadFailure): Promise<void> {
    const held = this.#leases.get(lease.key);
    if (held?.token !== lease.token || held.note !== undefined) return;
    if (failure === undefined || !this.#holds(scope, lease)) {
      this.#leases.delete(lease.key);
    } else {
      const { message: note, backoffMs } = failure;
      this.#leases.set(lease.key, { ...held, note, expiresAtMs: this.#clock.monotonic() + backoffMs });
    }
    this.#onLoaded(scope, lease.key);
  }

  #grant(scope: ScopeAddress, key: string, token: string, leaseMs: number): Lease {
    const generation = this.#generation(scope);
    this.#leases.set(key, { token, generation, expiresAtMs: this.#clock.monotonic() + leaseMs });
    const stamp = Buffer.alloc(8);
    stamp.writeDoubleBE(generation);
    return { key, token, generation: stamp, tags: this.#tags.standing() };
  }

  #holds(scope: ScopeAddress, lease: Lease): boolean {
    const held = this.#leases.get(lease.key);
    if (held === undefined || held.token !== lease.token || held.note !== undefined) return false;
    if (held.generation !== this.#generation(scope)) return false;
    return this.#clock.monotonic() < held.expiresAtMs;
  }

  #put(scope: ScopeAddress, { key, tags, flags, payload }: NewEntry, { ttlMs, graceMs }: Lifetime): void {
    const freshUntilMs = this.#clock.monotonic() + ttlMs;
    const expiresAtMs = freshUntilMs + graceMs;
    const generation = this.#generation(scope);
    const entry = { key, bytes: payload, tags, flags, payload, expiresAtMs, freshUntilMs, generation };
    const tagBytes = tags === undefined ? 0 : tags.names.reduce((sum, name) => sum + 2 * name.length, 0);
    this.#entries.set(key, entry, { size: payload.length + key.length + tagBytes + ENTRY_OVERHEAD_BYTES });
    if (!this.#entries.has(key)) throw new TierkitError('ERR_VALUE_TOO_LARGE', 'the value is larger than the store');
  }

  /** Whether a plain read finds it: it is fresh, and stands for a value. */
  #shows(entry: Entry): boolean {
    return entry.payload.length > 0 && this.#clock.monotonic() < entry.freshUntilMs;
  }

  #live(scope: ScopeAddress, key: string): Entry | undefined {
    this.#assertOpen();
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    const expired = this.#clock.monotonic() >= entry.expiresAtMs;
    const ended = expired || entry.generation !== this.#generation(scope);
    if (!ended && (entry.tags === undefined || !this.#tags.outdated(scope, entry.tags))) return entry;
    this.#entries.delete(key);
    return undefined;
  }

  /** A generation that was evicted restarts at a new number, so that what was written under it stays gone. */
  #generation(scope: ScopeAddress): number {
    this.#assertOpen();
    let generation = this.#generations.get(scope.generationKey);
    if (generation === undefined) {
      generation = ++this.#lastGeneration;
      this.#generations.set(scope.generationKey, generation);
    }
    return generation;
  }

  #assertOpen(): void {
    if (this.#closed) throw new TierkitError('ERR_REDIS_UNAVAILABLE', 'the cache is closed');
  }
}
