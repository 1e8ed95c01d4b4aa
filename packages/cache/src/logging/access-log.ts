import type { Logger } from '@tierkit/core';
import type { CacheChange } from '../inspection/cache-change.ts';
import type { ScopeAddress } from '../scope-address.ts';
import type { ShownKeys } from './shown-keys.ts';

/** Says at debug what was read, stored and invalidated. */
export class AccessLog {
  readonly #logger: Logger;
  readonly #keys: ShownKeys;
  readonly #prefix: string;

  constructor(logger: Logger, keys: ShownKeys, prefix: string) {
    this.#logger = logger;
    this.#keys = keys;
    this.#prefix = prefix;
  }

  /** @param from the level that answered; `stale` where the second one could not */
  hit({ tier, prefix }: ScopeAddress, name: string, from: 'l1' | 'l2' | 'stale'): void {
    this.#logger.debug({ tier, ...this.#keys.of(prefix + name), from }, 'cache hit');
  }

  miss({ tier, prefix }: ScopeAddress, name: string): void {
    this.#logger.debug({ tier, ...this.#keys.of(prefix + name) }, 'cache miss');
  }

  /** @param bytes as it lies in Redis */
  set({ tier }: ScopeAddress, key: string, bytes: number): void {
    this.#logger.debug({ tier, ...this.#keys.of(key), bytes }, 'cache set');
  }

  /** A change, here or elsewhere: keys that were written or deleted, or more than keys. */
  changed(change: CacheChange): void {
    const { kind, own } = change;
    const about: Record<string, unknown> = { kind, own };
    if ('tier' in change) about['tier'] = change.tier;
    const scope = 'scope' in change ? change.scope : undefined;
    if (scope !== undefined) about['scope'] = this.#keys.shown(scope);
    if (change.kind === 'keys') {
      const before = this.#prefix + (scope === undefined ? '' : `${change.tier}:{${scope}}:`);
      about['keys'] = change.keys.map((key) => this.#keys.shown(before + key));
      about['count'] = change.count;
    } else if (change.kind === 'tags') {
      about['tags'] = change.tags.map((tag) => this.#keys.shown(tag));
    } else if (change.kind === 'pattern') {
      about['pattern'] = this.#keys.shown(change.pattern);
    }
    this.#logger.debug(about, 'cache invalidated');
  }
}
