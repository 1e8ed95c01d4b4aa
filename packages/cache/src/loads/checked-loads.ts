import { encodeKey, type Key } from '@tierkit/core';
import type { LoadBatch } from './batch-load.ts';
import type { LoaderContext } from './loader-context.ts';
import type { ScopeMethods } from '../scope-methods.ts';
import type { LoadOptions } from '../scope-options.ts';

/** Whether a value passes; undefined for one that is refused. */
type Judge<V> = (value: unknown) => Promise<V | undefined>;

/**
 * Loads in which a cached value must pass a check of the caller's: one that does not is deleted and loaded again, once
 * for all callers of this process, however many of them have seen it.
 */
export class CheckedLoads {
  readonly #scope: ScopeMethods;
  /** Each resolves to the names of which there was nothing to remove. */
  readonly #removals = new Map<string, Promise<ReadonlySet<string>>>();

  constructor(scope: ScopeMethods) {
    this.#scope = scope;
  }

  /** What `judge` made of the value; undefined for a miss. A value that is refused three times in a row is a miss. */
  async get<V>(
    key: Key,
    loader: (context: LoaderContext) => unknown,
    judge: Judge<V>,
    options: LoadOptions,
  ): Promise<V | undefined> {
    let policy = options;
    for (let attempt = 0; attempt < 3; attempt++) {
      const value = await this.#scope.getOrSet<unknown>(key, loader, policy);
      if (value === undefined) return undefined;
      const verdict = await judge(value);
      if (verdict !== undefined) return verdict;
      const [stale] = await this.#remove([key], judge);
      if (stale === true) policy = { ...options, grace: 0 };
    }
    return undefined;
  }

  /** As `getOrSetMany`; what is refused is loaded anew, together, and returned if it is refused again. */
  async getMany(
    keys: readonly Key[],
    loader: LoadBatch<Key, unknown>,
    judge: Judge<unknown>,
    options: LoadOptions,
  ): Promise<unknown[]> {
    const values: unknown[] = await this.#scope.getOrSetMany(keys, loader, options);
    const refusals = await Promise.all(
      values.map(async (value) => !(value instanceof Error) && value !== undefined && !(await judge(value))),
    );
    const refused = [...keys.entries()].filter(([index]) => refusals[index]);
    if (refused.length === 0) return values;
    const stale = await this.#remove(
      refused.map(([, key]) => key),
      judge,
    );
    const reload = async (which: boolean, policy: LoadOptions): Promise<void> => {
      const these = refused.filter((_, place) => stale[place] === which);
      if (these.length === 0) return;
      const loaded = await this.#scope.getOrSetMany(
        these.map(([, key]) => key),
        loader,
        policy,
      );
      for (const [place, [index]] of these.entries()) values[index] = loaded[place];
    };
    await Promise.all([reload(false, options), reload(true, { ...options, grace: 0 })]);
    return values;
  }

  /**
   * Deletes what is refused of several keys, in one call.
   *
   * @returns for each key whether nothing was there: what was refused is stale, and may not be served again
   */
  async #remove(keys: readonly Key[], judge: Judge<unknown>): Promise<boolean[]> {
    const names = keys.map(encodeKey);
    const mine = new Map<string, Key>();
    for (const [index, name] of names.entries()) if (!this.#removals.has(name)) mine.set(name, keys[index] as Key);
    if (mine.size > 0) {
      const removal = this.#removeRefused(mine, judge).finally(() => {
        for (const name of mine.keys()) this.#removals.delete(name);
      });
      for (const name of mine.keys()) this.#removals.set(name, removal);
    }
    return Promise.all(names.map(async (name) => (await this.#removals.get(name))?.has(name) === true));
  }

  /** Whoever saw a refused value late finds that it was replaced. */
  async #removeRefused(keys: ReadonlyMap<string, Key>, judge: Judge<unknown>): Promise<ReadonlySet<string>> {
    const asked = [...keys];
    const values = await this.#scope.getMany(asked.map(([, key]) => key));
    const verdicts = await Promise.all(values.map(async (value) => value !== undefined && judge(value)));
    const refused = asked.filter((_, index) => verdicts[index] === undefined);
    await this.#scope.deleteMany(refused.map(([, key]) => key));
    return new Set(asked.filter((_, index) => verdicts[index] === false).map(([name]) => name));
  }
}
