import { TierkitError } from '@tierkit/core';
import { LRUCache } from 'lru-cache';
import type { ScopeAddress } from '../scope-address.ts';
import type { Enqueued, EnqueueOutcome, NewWrite, PendingStore, QueueKeys } from './pending-store.ts';

/** Of one script. */
const MOST_WRITES = 200;
const MOST_BYTES = 1_048_576;
/** Scopes that are known to be in use; of others the server tells. */
const MOST_SCOPES = 10_000;

interface Waiting {
  readonly write: NewWrite;
  readonly resolve: (version: number) => void;
  readonly reject: (error: unknown) => void;
}

export interface EnqueuerParts {
  readonly store: PendingStore;
  readonly queue: QueueKeys;
  readonly maxBacklog: number;
  /** Whether all scopes together have that many keys: only those that are pending can be written. */
  readonly isFull: () => boolean;
  /** Makes sure that readers elsewhere know, before the first write, that the tier is written behind. */
  readonly announce: (tier: string) => Promise<void>;
  readonly onEnqueued: (scope: ScopeAddress, writes: number, backlog: number) => void;
}

/**
 * Sends writes to the store: those of one scope that come in the same turn of the event loop in one step, in the order in
 * which they came. Each has an outcome of its own.
 */
export class Enqueuer {
  readonly #parts: EnqueuerParts;
  readonly #inUse = new LRUCache<string, true>({ max: MOST_SCOPES });
  readonly #waiting = new Map<string, { readonly scope: ScopeAddress; readonly since: number; writes: Waiting[] }>();
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
      if (this.#waiting.size === 0) process.nextTick(() => this.#sendAll());
      const waiting = { write, resolve, reject };
      const group = this.#waiting.get(scope.generationKey);
      if (group === undefined) {
        this.#waiting.set(scope.generationKey, { scope, since: this.#parts.store.moment, writes: [waiting] });
      } else {
        group.writes.push(waiting);
      }
    });
  }

  /** Resolves when everything that was added so far is kept or refused. */
  async settled(): Promise<void> {
    if (this.#waiting.size > 0) this.#sendAll();
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
    const groups = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { scope, since, writes } of groups) {
      const sending = this.#send(scope, writes, since).finally(() => this.#sending.delete(sending));
      this.#sending.add(sending);
    }
  }

  async #send(scope: ScopeAddress, writes: Waiting[], since: number): Promise<void> {
    const parts: Promise<void>[] = [];
    // A first write registers the scope for all that come with it.
    let registration: Promise<number> | undefined;
    const full = this.#parts.isFull();
    if (!full && !this.#inUse.has(scope.generationKey)) registration = this.register(scope, since);
    for (let at = 0; at < writes.length;) {
      const from = at;
      for (let bytes = 0; at < writes.length && at - from < MOST_WRITES && bytes < MOST_BYTES; at++)
        bytes += writes[at]?.write.sealed.payload.length ?? 0;
      parts.push(this.#sendPart(scope, writes.slice(from, at), since, full ? 'full' : registration));
    }
    await Promise.all(parts);
  }

  async #sendPart(
    scope: ScopeAddress,
    waiting: readonly Waiting[],
    since: number,
    registering: Promise<number> | 'full' | undefined,
  ): Promise<void> {
    try {
      const { outcomes, backlog } = await this.#enqueue(
        scope,
        waiting.map(({ write }) => write),
        since,
        (await registering) ?? 0,
      );
      let kept = 0;
      for (const [index, { resolve, reject }] of waiting.entries()) {
        const outcome = outcomes[index] ?? 'full';
        if (typeof outcome === 'number') {
          kept++;
          resolve(outcome);
        } else reject(this.#refused(outcome, scope));
      }
      if (kept > 0) this.#parts.onEnqueued(scope, kept, backlog);
    } catch (error) {
      for (const { reject } of waiting) reject(error);
    }
  }

  async #enqueue(scope: ScopeAddress, writes: NewWrite[], since: number, known: number | 'full'): Promise<Enqueued> {
    const { store, queue, maxBacklog } = this.#parts;
    if (known === 'full') {
      const enqueued = await store.enqueue(queue, scope, { writes, registration: 0, maxBacklog: 0 }, since);
      // Nothing is pending in a scope that is not in use.
      return enqueued === 'closed' ? { outcomes: writes.map(() => 'full'), backlog: maxBacklog } : enqueued;
    }
    for (let registration = known, tries = 0; ; tries++) {
      const enqueued = await store.enqueue(queue, scope, { writes, registration, maxBacklog }, since);
      if (enqueued !== 'closed') return enqueued;
      this.#inUse.delete(scope.generationKey);
      // A worker took the scope off the list just now, which it does once a minute at the most.
      if (tries > 2) throw new TierkitError('ERR_WRITE_BEHIND_UNCONFIRMED', 'the scope cannot be taken into use');
      registration = await this.register(scope, since);
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
