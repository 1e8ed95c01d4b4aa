import { TierkitError, type Logger } from '@tierkit/core';
import { memoryPolicies, type RedisConnection } from '@tierkit/redis';

/**
 * Makes sure that Redis does not evict what is pending, which has no time to live: that is what the `allkeys` policies do.
 * It asks once for each connection, and again after a reconnect. A server that does not tell is taken at its word.
 */
export class EvictionCheck {
  readonly #redis: RedisConnection;
  readonly #logger: Logger;
  readonly #stopWatching: () => void;
  #checked: Promise<void> | undefined;
  #passed = false;

  constructor(redis: RedisConnection, logger: Logger) {
    this.#redis = redis;
    this.#logger = logger;
    this.#stopWatching = redis.onStateChange((state) => {
      if (state !== 'up') return;
      this.#checked = undefined;
      this.#passed = false;
    });
  }

  /**
   * @returns undefined once it is known
   * @throws {TierkitError} `ERR_WRITE_BEHIND_EVICTION`, or the connection's own
   */
  pass(): Promise<void> | undefined {
    return this.#passed ? undefined : this.#pass();
  }

  async #pass(): Promise<void> {
    const checked = (this.#checked ??= this.#check());
    try {
      await checked;
      // Whoever waited goes before those who need not.
      setImmediate(() => (this.#passed ||= this.#checked === checked));
    } catch (error) {
      // What may change without a reconnect is asked again.
      if (this.#checked === checked) this.#checked = undefined;
      throw error;
    }
  }

  close(): void {
    this.#stopWatching();
  }

  async #check(): Promise<void> {
    const policies = await memoryPolicies(this.#redis);
    if (policies.includes('')) {
      this.#logger.warn({}, 'Redis does not tell its maxmemory-policy: write-behind needs one that evicts nothing');
    }
    const policy = policies.find((one) => one.startsWith('allkeys'));
    if (policy === undefined) return;
    const message = `Redis may evict what is written behind: its maxmemory-policy is ${policy}; use noeviction, or durableRedis`;
    throw new TierkitError('ERR_WRITE_BEHIND_EVICTION', message, { details: { policy } });
  }
}
