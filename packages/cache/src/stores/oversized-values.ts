import { setTimeout as sleep } from 'node:timers/promises';
import type { RedisConnection } from '@tierkit/redis';
import { discardOversized } from './redis-scripts/discard-oversized.ts';

const MAX_CHECKED = 16;
const TRIES = 20;
const RETRY_MS = 500;

/**
 * Removes values that are larger than any entry, which nobody can read in time: each read would be answered in full, and
 * hold up all others on the connection.
 */
export class OversizedValues {
  readonly #redis: RedisConnection;
  readonly #maxBytes: number;
  readonly #onRemoved: (key: string) => void;
  readonly #checked = new Set<string>();

  constructor(redis: RedisConnection, maxBytes: number, onRemoved: (key: string) => void) {
    this.#redis = redis;
    this.#maxBytes = maxBytes;
    this.#onRemoved = onRemoved;
  }

  /** To be called when a read of the key met its deadline. The check itself may have to wait behind what is so large. */
  suspect(key: string): void {
    if (this.#checked.size >= MAX_CHECKED || this.#checked.has(key)) return;
    this.#checked.add(key);
    void this.#check(key).finally(() => this.#checked.delete(key));
  }

  async #check(key: string): Promise<void> {
    for (let tries = 0; tries < TRIES && this.#redis.status !== 'closed'; tries++) {
      try {
        const removed = await discardOversized.run(this.#redis, { entry: key }, { maxBytes: this.#maxBytes });
        if (removed) this.#onRemoved(key);
        return;
      } catch {
        await sleep(RETRY_MS, undefined, { ref: false });
      }
    }
  }
}
