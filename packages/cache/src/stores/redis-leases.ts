import { createHash } from 'node:crypto';
import type { RedisConnection } from '@tierkit/redis';
import { leaseKey, type ScopeAddress } from '../scope-address.ts';
import type { TagTables } from '../tags/tag-tables.ts';
import { freshGeneration, freshName } from './fresh-generation.ts';
import type { Announce } from './invalidation-message.ts';
import { metaOf, type RedisEntries } from './redis-entries.ts';
import type { RedisGenerations } from './redis-generations.ts';
import { beginWrite } from './redis-scripts/begin-write.ts';
import { claimLoad } from './redis-scripts/claim-load.ts';
import { fillEntry } from './redis-scripts/fill-entry.ts';
import { releaseLease } from './redis-scripts/release-lease.ts';
import { renewLease } from './redis-scripts/renew-lease.ts';
import {
  lifeArgs,
  type Claim,
  type ClaimRequest,
  type Lease,
  type Lifetime,
  type LoadFailure,
  type NewEntry,
  type StoredEntry,
} from './store.ts';

export interface RedisLeasesParts {
  readonly redis: RedisConnection;
  readonly entries: RedisEntries;
  readonly generations: RedisGenerations;
  readonly tags: TagTables;
  readonly announce: Announce;
}

/** Who may load or write through a key, agreed on by all processes; each step is one script. */
export class RedisLeases {
  readonly #redis: RedisConnection;
  readonly #entries: RedisEntries;
  readonly #generations: RedisGenerations;
  readonly #tags: TagTables;
  readonly #announce: Announce;

  constructor({ redis, entries, generations, tags, announce }: RedisLeasesParts) {
    this.#redis = redis;
    this.#entries = entries;
    this.#generations = generations;
    this.#tags = tags;
    this.#announce = announce;
  }

  async claim(scope: ScopeAddress, key: string, request: ClaimRequest, since: number): Promise<Claim> {
    const { token, leaseMs, hitAboveMs, unreadable } = request;
    const known = (await this.#generations.knownOf(scope, 0)).toString('latin1');
    const generation = [...this.#generations.keysOf(scope), ...(scope.scoped ? [scope.tagsKey] : [])];
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
      const entry = this.#entries.parse(key, reply.bytes, 'any');
      if (entry === undefined) return { kind: 'held', remainingMs: 0, stale: undefined };
      const current = entry.tags === undefined || (await this.#tags.isCurrent(scope, entry.tags, since));
      // While its bytes are these it counts as none; what takes its place is looked at in its turn.
      return current ? { kind: 'hit', entry } : this.claim(scope, key, { ...request, unreadable: entry }, since);
    }
    const found = reply.stale.length === 0 ? undefined : this.#entries.parse(key, reply.stale, 'any');
    // What is granted is granted, whether or not the tags of what it replaces can be told.
    const stale = await Promise.resolve(this.#entries.current(scope, found, since)).catch(() => undefined);
    if (reply.kind === 'held') return { ...reply, stale };
    if (reply.kind === 'failed') return { ...reply, stale, message: reply.note.toString('utf8') };
    const tags = scope.scoped ? reply.tags : undefined;
    return { kind: 'granted', lease: { key, token, generation: reply.generation, tags }, stale };
  }

  async beginWrite(scope: ScopeAddress, key: string, token: string, leaseMs: number): Promise<Lease> {
    const since = this.#redis.moment;
    const generation = await beginWrite.run(
      this.#redis,
      { entry: key, ...this.#leaseKeys(scope, { key }) },
      {
        ttlMs: leaseMs,
        knownGeneration: await this.#generations.knownOf(scope, 0),
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
    const since = this.#redis.moment;
    const life = lifeArgs(lifetime);
    // Where the script cannot extend the generation: it has to outlive the entry.
    await this.#generations.knownOf(scope, life.ttlMs);
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

  #leaseKeys(scope: ScopeAddress, lease: { readonly key: string }): { lease: string; generation: string[] } {
    return { lease: leaseKey(scope, lease.key), generation: this.#generations.keysOf(scope) };
  }

  #leaseArgs(lease: Lease): { grantedGeneration: Buffer; token: string; channel: string; message: string } {
    const news = this.#announce({ kind: 'loaded', key: lease.key });
    return { grantedGeneration: lease.generation, token: lease.token, ...news };
  }
}

function sha1(entry: StoredEntry | undefined): string {
  return entry === undefined ? '' : createHash('sha1').update(entry.bytes).digest('hex');
}
