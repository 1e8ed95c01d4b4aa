import { TierkitError, type Logger } from '@tierkit/core';
import type { ShownKeys } from './shown-keys.ts';

/** The connection itself says when Redis is away or back. */
const OUTAGES: ReadonlySet<unknown> = new Set([
  'ERR_REDIS_UNAVAILABLE',
  'ERR_REDIS_TIMEOUT',
  'ERR_CACHE_REDIS_TIMEOUT',
]);
/** More keys that cannot be stored are forgotten, and then reported anew. */
const MAX_KEYS = 1_000;

/** Says once that something fails, and once that it works again, however often it is tried in between. */
export class Troubles {
  readonly #logger: Logger;
  readonly #keys: ShownKeys;
  readonly #failing = new Set<string>();
  readonly #unstorable = new Set<string>();

  constructor(logger: Logger, keys: ShownKeys) {
    this.#logger = logger;
    this.#keys = keys;
  }

  /** Redis refused an operation on a tier, as it does without memory or rights. */
  failed(tier: string, operation: string, error: unknown): void {
    const code = error instanceof TierkitError ? error.code : undefined;
    const failing = `${tier} ${operation}`;
    if (OUTAGES.has(code) || this.#failing.has(failing)) return;
    this.#failing.add(failing);
    this.#logger.warn({ tier, operation, error: String(error) }, 'Redis refuses an operation of the cache');
  }

  worked(tier: string, operation: string): void {
    if (this.#failing.size === 0 || !this.#failing.delete(`${tier} ${operation}`)) return;
    this.#logger.info({ tier, operation }, 'Redis takes an operation of the cache again');
  }

  /** A value cannot be stored under a key. */
  unstorable(tier: string, key: string, error: unknown, what: string): void {
    if (this.#unstorable.has(key)) return;
    if (this.#unstorable.size >= MAX_KEYS) this.#unstorable.clear();
    this.#unstorable.add(key);
    this.#logger.warn({ tier, ...this.#keys.of(key), error: String(error) }, what);
  }

  stored(key: string): void {
    if (this.#unstorable.size > 0) this.#unstorable.delete(key);
  }
}
