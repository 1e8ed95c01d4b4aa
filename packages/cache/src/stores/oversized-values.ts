import { setTimeout as sleep } from 'node:timers/promises';
import type { RedisConnection } from '@tierkit/redis';
import { discardOversized } from './redis-scripts/discard-oversized.ts';

/** Commands whose keys are looked at at the same time. */
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
  /** By the first key. */
  readonly #checked = new Set<string>();

  constructor(redis: RedisConnection, maxBytes: number, onRemoved: (key: string) => void) {
    this.#redis = redis;
    this.#maxBytes = maxBytes;
    this.#onRemoved = onRemoved;
  }

  is(bytes: Buffer): boolean {
    return bytes.length > this.#maxBytes;
  }

  /**
   * To be called when a read of these keys met its deadline. The check itself may have to wait behind what is so large.
   *
   * @param keys of one command
   */
  suspect(keys: readonly string[]): void {
    const [first] = keys;
    if (first === undefined || this.#checked.size >= MAX_CHECKED || this.#checked.has(first)) return;
    this.#checked.add(first);
    void this.#check(keys).finally(() => this.#checked.delete(first));
  }

  async #check(keys: readonly string[]): Promise<void> {
    for (let tries = 0; tries < TRIES && this.#redis.status !== 'closed'; tries++) {
      try {
        const removed = await discardOversized.run(this.#redis, { entries: keys }, { maxBytes: this.#maxBytes });
        for (const index of removed) this.#onRemoved(keys[index] ?? '');
        return;
      } catch {
        await sleep(RETRY_MS, undefined, { ref: false });
      }
    }
  }
}
