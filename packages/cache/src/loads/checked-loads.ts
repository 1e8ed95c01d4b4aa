import { encodeKey, type Key } from '@tierkit/core';
import type { LoaderContext } from './loader-context.ts';
import type { ScopeMethods } from '../scope-methods.ts';
import type { LoadOptions } from '../scope.ts';

/**
 * Loads in which a cached value must pass a check of the caller's: one that does not is deleted and loaded again, once
 * for all callers of this process, however many of them have seen it.
 */
export class CheckedLoads {
  readonly #scope: ScopeMethods;
  readonly #removals = new Map<string, Promise<void>>();

  constructor(scope: ScopeMethods) {
    this.#scope = scope;
  }

  /** What `judge` made of the value; undefined for a miss. A value that is refused three times in a row is a miss. */
  async get<V>(
    key: Key,
    loader: (context: LoaderContext) => unknown,
    judge: (value: unknown) => Promise<V | undefined>,
    options: LoadOptions,
  ): Promise<V | undefined> {
    for (let attempt = 0; attempt < 3; attempt++) {
      const value = await this.#scope.getOrSet<unknown>(key, loader, options);
      if (value === undefined) return undefined;
      const verdict = await judge(value);
      if (verdict !== undefined) return verdict;
      await this.#remove(key, judge);
    }
    return undefined;
  }

  async #remove(key: Key, judge: (value: unknown) => Promise<unknown>): Promise<void> {
    const name = encodeKey(key);
    let removal = this.#removals.get(name);
    if (removal === undefined) {
      removal = this.#removeRefused(key, judge).finally(() => this.#removals.delete(name));
      this.#removals.set(name, removal);
    }
    return removal;
  }

  /** Whoever saw the refused value late finds that it was replaced. */
  async #removeRefused(key: Key, judge: (value: unknown) => Promise<unknown>): Promise<void> {
    const value = await this.#scope.get(key);
    if (value !== undefined && (await judge(value)) === undefined) await this.#scope.delete(key);
  }
}
