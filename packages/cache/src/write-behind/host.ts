import { TierkitError } from '@tierkit/core';
import type { Engine } from '../engine.ts';
import type { ScopeAddress } from '../scope-address.ts';
import { decodePendingItem } from './decode-item.ts';
import { queueSettings, type WriteBehindOptions } from './options.ts';
import type { PendingStore } from './pending-store.ts';
import { WriteBehindQueue, type QueueParts } from './queue.ts';
import type { WrittenBehind } from './written-behind.ts';

export interface WriteBehindParts {
  readonly store: PendingStore;
  readonly reads: WrittenBehind;
  readonly prefix: string;
  readonly passCheck: QueueParts['passCheck'];
  /** Tells other instances that keys of the tier are written behind. */
  readonly publish: (tier: string) => Promise<void>;
  /** Ends what is cached of a key, here and elsewhere. */
  readonly endCached: (scope: ScopeAddress, name: string) => Promise<void>;
  readonly onClose: () => void;
}

/** The write-behind queues of one instance. */
export class WriteBehindHost {
  readonly #engine: Engine;
  readonly #parts: WriteBehindParts;
  readonly #queues = new Map<string, WriteBehindQueue>();
  /** Tiers that this process told the others of. */
  readonly #published = new Set<string>();

  constructor(engine: Engine, parts: WriteBehindParts) {
    this.#engine = engine;
    this.#parts = parts;
  }

  /** @throws {TierkitError} `ERR_CACHE_OPTIONS` */
  create<T>(name: string, options: WriteBehindOptions<T>): WriteBehindQueue {
    const settings = queueSettings(name, options);
    if (this.#queues.has(name)) {
      const message = `there is a write-behind queue "${name}" already`;
      throw new TierkitError('ERR_CACHE_OPTIONS', message, { details: { option: 'writeBehind' } });
    }
    if (this.#engine.closed) throw new TierkitError('ERR_CACHE_CLOSED', 'the cache is closed');
    const { store, prefix, passCheck, endCached } = this.#parts;
    const { clock, logger } = this.#engine;
    const queue = new WriteBehindQueue({
      ...{ name, prefix, store, settings, clock, logger, passCheck },
      decode: (scope, write) => decodePendingItem(this.#engine, scope, write),
      announce: (tier) => this.#announce(tier),
      onReplayed: endCached,
    });
    this.#queues.set(name, queue);
    return queue;
  }

  list(): WriteBehindQueue[] {
    return [...this.#queues.values()];
  }

  async close(): Promise<void> {
    await Promise.all([...this.#queues.values()].map((queue) => queue.close()));
    this.#parts.onClose();
  }

  async #announce(tier: string): Promise<void> {
    const { reads, publish } = this.#parts;
    reads.add(tier);
    if (this.#published.has(tier)) return;
    try {
      await publish(tier);
      this.#published.add(tier);
    } catch (error) {
      // Who hears nothing asks for everything, and learns it on the next connection.
      this.#engine.logger.debug({ tier, error: String(error) }, 'a tier that is written behind was not announced');
    }
  }
}
