import type { RedisConnection } from '@tierkit/redis';
import type { ScopeAddress } from '../scope-address.ts';
import type { RedisStore } from '../stores/redis-store.ts';
import { encodeRecord, parseRecord } from './pending-record.ts';
import type {
  ClaimBounds,
  Claimed,
  EnqueueOutcome,
  EnqueueRequest,
  GivenBack,
  Measured,
  PendingStore,
  PendingWrite,
  QueueKeys,
  Registered,
  Revived,
  Settled,
} from './pending-store.ts';
import { RedisLetters } from './redis-letters.ts';
import { claimWrites } from './redis-scripts/claim-writes.ts';
import { closeScope } from './redis-scripts/close-scope.ts';
import { enqueueWrites } from './redis-scripts/enqueue-writes.ts';
import { giveBackWrites } from './redis-scripts/give-back-writes.ts';
import { measureScope } from './redis-scripts/measure-scope.ts';
import { registerScope } from './redis-scripts/register-scope.ts';
import { renewClaim } from './redis-scripts/renew-claim.ts';
import { reviveWrite } from './redis-scripts/revive-write.ts';
import { settleWrites } from './redis-scripts/settle-writes.ts';
import { takeTurn } from './redis-scripts/take-turn.ts';
import { unlistScope } from './redis-scripts/unlist-scope.ts';
import { cachedWrites, describeWrites, withoutCache } from './enqueue-arguments.ts';

/** How long what is left of a scope without writes stays, so that versions go on from there. */
const KEPT_MS = 3_600_000;

export interface RedisPendingStoreOptions {
  readonly redis: RedisConnection;
  /** The second level if it is on the same server, so that one script reaches both. */
  readonly cache: RedisStore | undefined;
  readonly prefix: string;
}

/** What is pending, on Redis: each step is one script in the slot of its scope. */
export class RedisPendingStore implements PendingStore {
  readonly letters: RedisLetters;
  readonly #redis: RedisConnection;
  readonly #cache: RedisStore | undefined;
  readonly #tiersKey: string;

  constructor({ redis, cache, prefix }: RedisPendingStoreOptions) {
    this.letters = new RedisLetters(redis);
    this.#redis = redis;
    this.#cache = cache;
    this.#tiersKey = `${prefix}{tierkit}behind`;
  }

  get moment(): number {
    return this.#redis.moment;
  }

  get apart(): boolean {
    return this.#cache === undefined;
  }

  changesCache(scope: ScopeAddress): boolean {
    return this.#cache !== undefined && (scope.scoped || this.#redis.topology !== 'cluster');
  }

  async register(queue: QueueKeys, scope: ScopeAddress, since?: number): Promise<number> {
    const keys = { registry: queue.registry, tiers: this.#tiersKey };
    return registerScope.run(this.#redis, keys, { scope: scope.generationKey, tier: scope.tier }, since);
  }

  async enqueue(
    queue: QueueKeys,
    scope: ScopeAddress,
    { writes, registration, maxBacklog }: EnqueueRequest,
    since?: number,
  ): Promise<readonly EnqueueOutcome[] | 'closed'> {
    const { keys, args } =
      this.#cache !== undefined && this.changesCache(scope) ? cachedWrites(this.#cache, scope, writes) : withoutCache;
    const { pending, due } = this.#keys(queue, scope);
    const payloads = writes.map(({ sealed }) => sealed.payload);
    const reply = await enqueueWrites.run(
      this.#redis,
      { pending, due, cache: keys },
      { queue: queue.name, registration, maxBacklog, ...args, ...describeWrites(writes), payloads },
      since,
    );
    if (reply === 'closed') return 'closed';
    let version = reply.firstVersion;
    return writes.map((_, index) => reply.refused.get(index) ?? version++);
  }

  async find(scope: ScopeAddress, names: readonly string[]): Promise<(PendingWrite | undefined)[]> {
    const records = await this.#redis.execute((client) => client.hmgetBuffer(scope.pendingKey, ...names));
    return names.map((name, index) => {
      const write = parseRecord(name, records[index] ?? null);
      return write?.replayed === true ? undefined : write;
    });
  }

  claim(queue: QueueKeys, scope: ScopeAddress, bounds: ClaimBounds): Promise<Claimed> {
    return claimWrites.run(this.#redis, this.#keys(queue, scope), { ...bounds });
  }

  async settle(queue: QueueKeys, scope: ScopeAddress, lease: number, writes: readonly Settled[]): Promise<void> {
    const settled = writes.flatMap(({ name, version }) => [name, String(version)]);
    await settleWrites.run(this.#redis, this.#keys(queue, scope), { lease, settled });
  }

  async giveBack(queue: QueueKeys, scope: ScopeAddress, lease: number, writes: readonly GivenBack[]): Promise<void> {
    const { due, tries } = this.#keys(queue, scope);
    const given = writes.flatMap(({ name, version, delayMs, failures }) => [
      name,
      String(version),
      String(Math.ceil(delayMs)),
      String(failures),
    ]);
    await giveBackWrites.run(this.#redis, { due, tries }, { lease, given });
  }

  renew(
    queue: QueueKeys,
    scope: ScopeAddress,
    lease: number,
    names: readonly string[],
    leaseMs: number,
  ): Promise<{ readonly lease: number; readonly held: number }> {
    const { due } = this.#keys(queue, scope);
    return renewClaim.run(this.#redis, { due }, { lease, leaseMs, names });
  }

  revive(queue: QueueKeys, scope: ScopeAddress, write: PendingWrite, registration: number): Promise<Revived> {
    const { pending, due } = this.#keys(queue, scope);
    const record = encodeRecord({ ...write, replayed: true }, queue.name);
    const args = { queue: queue.name, registration, writtenAs: write.name, record };
    return reviveWrite.run(this.#redis, { pending, due }, args);
  }

  measure(queue: QueueKeys, scope: ScopeAddress): Promise<Measured> {
    const { pending, due } = this.#keys(queue, scope);
    return measureScope.run(this.#redis, { pending, due }, {});
  }

  async unregister(queue: QueueKeys, scope: ScopeAddress, registration: number): Promise<void> {
    const args = { queue: queue.name, registration, keptMs: KEPT_MS };
    if (!(await closeScope.run(this.#redis, this.#keys(queue, scope), args))) return;
    const { registry } = queue;
    await unlistScope.run(this.#redis, { registry }, { scope: scope.generationKey, registration });
  }

  async registered(queue: QueueKeys, from: number, count: number): Promise<readonly Registered[]> {
    const { listed, nowMs } = await this.#redis.execute(async (client) => {
      const [listed, time] = await Promise.all([
        client.zrange(queue.registry, from, String(from + count - 1), 'WITHSCORES'),
        client.time(),
      ]);
      return { listed, nowMs: Number(time[0]) * 1_000 };
    });
    const registered: Registered[] = [];
    for (let at = 0; at + 1 < listed.length; at += 2) {
      const registration = Number(listed[at + 1]);
      registered.push({ generationKey: listed[at] ?? '', registration, ageMs: nowMs - registration / 1_000 });
    }
    return registered;
  }

  takeTurn({ registry }: QueueKeys, everyMs: number): Promise<{ readonly mine: boolean; readonly backlog: number }> {
    return takeTurn.run(this.#redis, { turn: `${registry}~turn`, noted: `${registry}~backlog` }, { everyMs });
  }

  async noteBacklog({ registry }: QueueKeys, backlog: number, keptMs: number): Promise<void> {
    await this.#redis.execute((client) => client.set(`${registry}~backlog`, String(backlog), 'PX', keptMs));
  }

  tiers(): Promise<readonly string[]> {
    return this.#redis.execute((client) => client.smembers(this.#tiersKey));
  }

  #keys(queue: QueueKeys, { pendingKey }: ScopeAddress): { pending: string; due: string; tries: string } {
    return {
      pending: pendingKey,
      due: `${pendingKey}~due:${queue.name}`,
      tries: `${pendingKey}~tries:${queue.name}`,
    };
  }
}
