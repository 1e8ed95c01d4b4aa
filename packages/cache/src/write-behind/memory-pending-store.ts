import { TierkitError, type Clock } from '@tierkit/core';
import type { ScopeAddress } from '../scope-address.ts';
import type { CacheStore } from '../stores/store.ts';
import { MemoryLetters } from './memory-letters.ts';
import type {
  ClaimBounds,
  Claimed,
  EnqueueOutcome,
  EnqueueRequest,
  GivenBack,
  Measured,
  NewWrite,
  PendingStore,
  PendingWrite,
  QueueKeys,
  Registered,
  Revived,
  Settled,
} from './pending-store.ts';

interface Waiting {
  write: PendingWrite;
  readonly queue: string;
  /** By the monotonic clock, as the next one; the end of a lease while it is claimed. */
  dueMs: number;
  sinceMs: number;
  claims: number;
  failures: number;
}

interface ScopePart {
  readonly names: Map<string, Waiting>;
  /** How many of them each queue has. */
  readonly counts: Map<string, number>;
}

/** What is pending, in this process alone: it is lost with it. */
export class MemoryPendingStore implements PendingStore {
  readonly moment = 0;
  readonly apart = true;
  readonly letters = new MemoryLetters();
  readonly #clock: Clock;
  readonly #cache: CacheStore;
  readonly #scopes = new Map<string, ScopePart>();
  readonly #tiers = new Set<string>();
  #version = 0;
  #lease = 0;
  #closed = false;

  constructor(clock: Clock, cache: CacheStore) {
    this.#clock = clock;
    this.#cache = cache;
  }

  close(): void {
    this.#closed = true;
    this.#scopes.clear();
  }

  changesCache(): boolean {
    return true;
  }

  async register(_queue: QueueKeys, scope: ScopeAddress): Promise<number> {
    this.#assertOpen();
    this.#tiers.add(scope.tier);
    return 1;
  }

  /** Nothing waits between the change of the cache and that of the queue: nobody sees one without the other. */
  async enqueue(
    { name: queue }: QueueKeys,
    scope: ScopeAddress,
    { writes, maxBacklog }: EnqueueRequest,
  ): Promise<readonly EnqueueOutcome[]> {
    this.#assertOpen();
    const part = this.#part(scope);
    const outcomes: EnqueueOutcome[] = [];
    const caching: Promise<void>[] = [];
    for (const write of writes) {
      const known = part.names.get(write.name);
      if (known !== undefined && known.queue !== queue) outcomes.push('other-queue');
      else if (known === undefined && (part.counts.get(queue) ?? 0) >= maxBacklog) outcomes.push('full');
      else {
        caching.push(this.#cacheWrite(scope, write));
        outcomes.push(this.#keep(part, queue, write));
      }
    }
    // What the cache has no room for is pending all the same, and read from there.
    await Promise.allSettled(caching);
    return outcomes;
  }

  async find(scope: ScopeAddress, wanted: readonly string[]): Promise<(PendingWrite | undefined)[]> {
    const part = this.#scopes.get(scope.generationKey);
    return wanted.map((name) => {
      const write = part?.names.get(name)?.write;
      return write?.replayed === true ? undefined : write;
    });
  }

  async claim({ name: queue }: QueueKeys, scope: ScopeAddress, bounds: ClaimBounds): Promise<Claimed> {
    this.#assertOpen();
    const nowMs = this.#clock.monotonic();
    const lease = this.#nextLease(nowMs + bounds.leaseMs);
    const taken: Waiting[] = [];
    let bytes = 0;
    for (const waiting of this.#of(scope, queue)) {
      if (waiting.dueMs > nowMs) continue;
      if (taken.length >= bounds.count) break;
      bytes += waiting.write.payload.length;
      if (bytes > bounds.bytes && taken.length > 0) break;
      waiting.dueMs = lease;
      waiting.claims++;
      taken.push(waiting);
    }
    return { lease, writes: taken.map(({ write, failures, claims }) => Object.assign({ failures, claims }, write)) };
  }

  async settle(_queue: QueueKeys, scope: ScopeAddress, lease: number, writes: readonly Settled[]): Promise<void> {
    this.#assertOpen();
    const part = this.#scopes.get(scope.generationKey);
    for (const { name, version } of writes) {
      const waiting = part?.names.get(name);
      if (part === undefined || waiting === undefined) continue;
      if (waiting.write.version === version) this.#drop(scope, part, name, waiting.queue);
      else if (waiting.dueMs === lease) {
        waiting.dueMs = this.#clock.monotonic();
        waiting.claims = 0;
        waiting.failures = 0;
      }
    }
  }

  async giveBack(_queue: QueueKeys, scope: ScopeAddress, lease: number, writes: readonly GivenBack[]): Promise<void> {
    this.#assertOpen();
    const part = this.#scopes.get(scope.generationKey);
    for (const { name, version, delayMs, failures } of writes) {
      const waiting = part?.names.get(name);
      if (waiting?.dueMs !== lease) continue;
      waiting.dueMs = this.#clock.monotonic() + delayMs;
      waiting.claims = 0;
      waiting.failures = waiting.write.version === version ? failures : 0;
    }
  }

  async renew(
    _queue: QueueKeys,
    scope: ScopeAddress,
    lease: number,
    names: readonly string[],
    leaseMs: number,
  ): Promise<{ readonly lease: number; readonly held: number }> {
    this.#assertOpen();
    const renewed = this.#nextLease(this.#clock.monotonic() + leaseMs);
    let held = 0;
    for (const name of names) {
      const waiting = this.#scopes.get(scope.generationKey)?.names.get(name);
      if (waiting?.dueMs !== lease) continue;
      waiting.dueMs = renewed;
      held++;
    }
    return { lease: renewed, held };
  }

  async revive({ name: queue }: QueueKeys, scope: ScopeAddress, write: PendingWrite): Promise<Revived> {
    this.#assertOpen();
    const part = this.#part(scope);
    if (part.names.has(write.name)) return 'superseded';
    this.#add(part, queue, { ...write, replayed: true });
    return 'revived';
  }

  async measure({ name: queue }: QueueKeys, scope: ScopeAddress): Promise<Measured> {
    const nowMs = this.#clock.monotonic();
    const all = [...this.#of(scope, queue)];
    const oldestAgeMs = all.reduce((oldest, { sinceMs }) => Math.max(oldest, nowMs - sinceMs), 0);
    return { backlog: all.length, due: all.filter(({ dueMs }) => dueMs <= nowMs).length, oldestAgeMs };
  }

  async unregister(): Promise<void> {
    // A scope without writes takes no room here.
  }

  async registered(_queue: QueueKeys, from: number, count: number): Promise<readonly Registered[]> {
    const keys = [...this.#scopes.keys()].slice(from, from + count);
    return keys.map((generationKey) => ({ generationKey, registration: 1, ageMs: 0 }));
  }

  async takeTurn({ name: queue }: QueueKeys): Promise<{ readonly mine: boolean; readonly backlog: number }> {
    let backlog = 0;
    for (const { counts } of this.#scopes.values()) backlog += counts.get(queue) ?? 0;
    return { mine: true, backlog };
  }

  async noteBacklog(): Promise<void> {
    // It is counted anew each time.
  }

  async tiers(): Promise<readonly string[]> {
    return [...this.#tiers];
  }

  #part({ generationKey }: ScopeAddress): ScopePart {
    const known = this.#scopes.get(generationKey);
    if (known !== undefined) return known;
    const part = { names: new Map<string, Waiting>(), counts: new Map<string, number>() };
    this.#scopes.set(generationKey, part);
    return part;
  }

  #keep(part: ScopePart, queue: string, { name, deleted, sealed }: NewWrite): number {
    const enqueuedAtMs = this.#clock.now();
    const version = Math.max(this.#version + 1, Math.floor(enqueuedAtMs * 1_000));
    this.#version = version;
    const write = { name, version, enqueuedAtMs, deleted, replayed: false, ...sealed };
    const known = part.names.get(name);
    if (known !== undefined) known.write = write;
    else this.#add(part, queue, write);
    return version;
  }

  #add({ names, counts }: ScopePart, queue: string, write: PendingWrite): void {
    const nowMs = this.#clock.monotonic();
    names.set(write.name, { write, queue, dueMs: nowMs, sinceMs: nowMs, claims: 0, failures: 0 });
    counts.set(queue, (counts.get(queue) ?? 0) + 1);
  }

  #drop({ generationKey }: ScopeAddress, { names, counts }: ScopePart, name: string, queue: string): void {
    names.delete(name);
    counts.set(queue, (counts.get(queue) ?? 1) - 1);
    if (names.size === 0) this.#scopes.delete(generationKey);
  }

  #cacheWrite(scope: ScopeAddress, { key, deleted, sealed, tags, lifetime }: NewWrite): Promise<void> {
    return deleted ? this.#cache.remove(scope, [key]) : this.#cache.write(scope, [{ key, tags, ...sealed }], lifetime);
  }

  *#of({ generationKey }: ScopeAddress, queue: string): Iterable<Waiting> {
    for (const waiting of this.#scopes.get(generationKey)?.names.values() ?? []) {
      if (waiting.queue === queue) yield waiting;
    }
  }

  /** A lease is known by its end, so that no two may end at the same time. */
  #nextLease(endMs: number): number {
    this.#lease = Math.max(endMs, this.#lease + 0.001);
    return this.#lease;
  }

  #assertOpen(): void {
    if (this.#closed) throw new TierkitError('ERR_REDIS_UNAVAILABLE', 'the cache is closed');
  }
}
