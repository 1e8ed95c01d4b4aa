import { TierkitError } from '@tierkit/core';
import { LRUCache } from 'lru-cache';
import type { ScopeAddress } from '../scope-address.ts';
import type { EnqueueOutcome, NewWrite, PendingStore, QueueKeys } from './pending-store.ts';

/** Of one step; more are under way at the same time, so that Redis works on one while the next is made. */
const MOST_WRITES = 25;
const MOST_BYTES = 1_048_576;
/** Scopes that are known to be in use; of others the server tells. */
const MOST_SCOPES = 10_000;

interface Waiting {
  readonly write: NewWrite;
  readonly resolve: (version: number) => void;
  readonly reject: (error: unknown) => void;
}

/** What goes out in one step. */
interface Group {
  readonly scope: ScopeAddress;
  readonly since: number;
  readonly waiting: Waiting[];
  bytes: number;
}

export interface EnqueuerParts {
  readonly store: PendingStore;
  readonly queue: QueueKeys;
  readonly maxBacklog: number;
  /** Whether all scopes together have that many keys: only those that are pending can be written. */
  readonly isFull: () => boolean;
  /** Makes sure that readers elsewhere know, before the first write, that the tier is written behind. */
  readonly announce: (tier: string) => Promise<void>;
  readonly onEnqueued: (scope: ScopeAddress, writes: number) => void;
}

/**
 * Sends writes to the store: those of one scope that come in the same turn of the event loop in one step or a few, in the
 * order in which they came. Each has an outcome of its own.
 */
export class Enqueuer {
  readonly #parts: EnqueuerParts;
  readonly #inUse = new LRUCache<string, true>({ max: MOST_SCOPES });
  readonly #groups = new Map<string, Group>();
  readonly #registering = new Map<string, Promise<number>>();
  readonly #sending = new Set<Promise<void>>();

  constructor(parts: EnqueuerParts) {
    this.#parts = parts;
  }

  /**
   * @returns the version of the write, once it is kept
   * @throws {TierkitError} `ERR_WRITE_BEHIND_FULL`, `ERR_WRITE_BEHIND_QUEUE`, or the store's own
   */
  add(scope: ScopeAddress, write: NewWrite): Promise<number> {
    return new Promise((resolve, reject) => {
      if (this.#groups.size === 0) process.nextTick(() => this.#sendAll());
      let group = this.#groups.get(scope.generationKey);
      if (group === undefined) {
        group = { scope, since: this.#parts.store.moment, waiting: [], bytes: 0 };
        this.#groups.set(scope.generationKey, group);
      }
      group.bytes += write.sealed.payload.length;
      if (group.waiting.push({ write, resolve, reject }) < MOST_WRITES && group.bytes < MOST_BYTES) return;
      this.#groups.delete(scope.generationKey);
      this.#start(group);
    });
  }

  /** Resolves when everything that was added so far is kept or refused. */
  async settled(): Promise<void> {
    this.#sendAll();
    await Promise.all(this.#sending);
  }

  /** A number for `enqueue` and `revive`, which take the scope into use with it. */
  async register(scope: ScopeAddress, since?: number): Promise<number> {
    const { store, queue, announce } = this.#parts;
    const registration = await store.register(queue, scope, since);
    await announce(scope.tier);
    this.#inUse.set(scope.generationKey, true);
    return registration;
  }

  #sendAll(): void {
    const groups = [...this.#groups.values()];
    this.#groups.clear();
    for (const group of groups) this.#start(group);
  }

  #start(group: Group): void {
    const sending = this.#send(group).finally(() => this.#sending.delete(sending));
    this.#sending.add(sending);
  }

  async #send({ scope, since, waiting }: Group): Promise<void> {
    try {
      const writes = waiting.map(({ write }) => write);
      const outcomes = await (this.#parts.isFull()
        ? this.#replaceOnly(scope, writes, since)
        : this.#enqueue(scope, writes, since));
      let kept = 0;
      for (const [index, { resolve, reject }] of waiting.entries()) {
        const outcome = outcomes[index] ?? 'full';
        if (typeof outcome === 'number') {
          kept++;
          resolve(outcome);
        } else reject(this.#refused(outcome, scope));
      }
      if (kept > 0) this.#parts.onEnqueued(scope, kept);
    } catch (error) {
      for (const { reject } of waiting) reject(error);
    }
  }

  async #enqueue(scope: ScopeAddress, writes: NewWrite[], since: number): Promise<readonly EnqueueOutcome[]> {
    const { store, queue, maxBacklog } = this.#parts;
    for (let tries = 0; tries < 4; tries++) {
      const registration = await this.#registered(scope, since);
      const outcomes = await store.enqueue(queue, scope, { writes, registration, maxBacklog }, since);
      if (outcomes !== 'closed') return outcomes;
      // A worker took the scope off the list just now, which it does once a minute at the most.
      this.#inUse.delete(scope.generationKey);
    }
    throw new TierkitError('ERR_WRITE_BEHIND_UNCONFIRMED', 'the scope cannot be taken into use');
  }

  /** With all scopes full, only what is pending can be written, and nothing is in a scope that is not in use. */
  async #replaceOnly(scope: ScopeAddress, writes: NewWrite[], since: number): Promise<readonly EnqueueOutcome[]> {
    const { store, queue } = this.#parts;
    const outcomes = await store.enqueue(queue, scope, { writes, registration: 0, maxBacklog: 0 }, since);
    return outcomes === 'closed' ? writes.map(() => 'full' as const) : outcomes;
  }

  /** One registration for all that come meanwhile, which keeps them in order. @returns 0 where the scope is in use */
  #registered(scope: ScopeAddress, since: number): Promise<number> | 0 {
    const { generationKey } = scope;
    const registering = this.#registering.get(generationKey);
    if (registering !== undefined) return registering;
    if (this.#inUse.has(generationKey)) return 0;
    const registered = this.#registerOnce(scope, since);
    this.#registering.set(generationKey, registered);
    return registered;
  }

  async #registerOnce(scope: ScopeAddress, since: number): Promise<number> {
    try {
      return await this.register(scope, since);
    } finally {
      this.#registering.delete(scope.generationKey);
    }
  }

  #refused(outcome: Exclude<EnqueueOutcome, number>, { tier }: ScopeAddress): TierkitError {
    const { queue, maxBacklog } = this.#parts;
    const details = { queue: queue.name, tier };
    if (outcome === 'full') return backlogFull(queue.name, maxBacklog, tier);
    const message = 'the key waits in another write-behind queue: a key belongs to one queue';
    return new TierkitError('ERR_WRITE_BEHIND_QUEUE', message, { details });
  }
}

function backlogFull(queue: string, maxBacklog: number, tier: string): TierkitError {
  const message = `the write-behind queue "${queue}" holds ${maxBacklog} keys already that are not flushed`;
  return new TierkitError('ERR_WRITE_BEHIND_FULL', message, { details: { queue, tier, maxBacklog } });
}
