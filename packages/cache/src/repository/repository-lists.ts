import { copyValue, encodeKey, parseDuration, type Duration } from '@tierkit/core';
import type { RepositoryKeys, Segments } from './repository-keys.ts';
import type { ScopeMethods } from '../scope-methods.ts';
import type { LoadOptions } from '../scope-options.ts';

/** Stands for a list while an entity is written that it has, had or may get. */
interface WriteMark {
  readonly writing: true;
}

/** A list that is loaded during a write, for those who asked before it was begun. */
interface SharedLoad {
  begun: boolean;
  readonly list: Promise<readonly unknown[]>;
}

/** The lists of a repository: cached, but not while one of their entities is being written. */
export class RepositoryLists {
  readonly #scope: ScopeMethods;
  readonly #keys: RepositoryKeys;
  readonly #writeTtlMs: number;
  readonly #during = new Map<string, SharedLoad>();

  constructor(scope: ScopeMethods, keys: RepositoryKeys, writeTimeout: Duration) {
    this.#scope = scope;
    this.#keys = keys;
    this.#writeTtlMs = Math.ceil(parseDuration(writeTimeout, 'writeTimeout'));
  }

  async get(key: Segments, load: () => Promise<unknown[]>, options: LoadOptions): Promise<readonly unknown[]> {
    const tags = [...(options.tags ?? []), this.#keys.listTag];
    const found = await this.#scope.getOrSet<unknown>(key, load, { ...options, tags });
    return isMark(found) ? this.#loadDuringWrite(encodeKey(key), load) : (found as readonly unknown[]);
  }

  /**
   * Nothing is kept, as a write that ends may not know of this list. Who asks while it is loaded waits for the next load,
   * since a write may have ended after the first one read the source.
   */
  #loadDuringWrite(name: string, load: () => Promise<unknown[]>): Promise<readonly unknown[]> {
    const last = this.#during.get(name);
    if (last?.begun === false) return last.list;
    const loadNext = async (): Promise<readonly unknown[]> => {
      await last?.list.catch(() => {});
      next.begun = true;
      try {
        return frozenCopy(await load());
      } finally {
        if (this.#during.get(name) === next) this.#during.delete(name);
      }
    };
    const next: SharedLoad = { begun: false, list: Promise.resolve().then(loadNext) };
    this.#during.set(name, next);
    return next.list;
  }

  /** Whether a list is cached that would be served. */
  async has(key: Segments): Promise<boolean> {
    return Array.isArray(await this.#scope.get(key));
  }

  /**
   * From now on nothing that is loaded for these lists is kept, until they are forgotten or the time is over.
   *
   * @returns whether Redis confirmed
   */
  async beginWrite(keys: readonly Segments[]): Promise<boolean> {
    const mark: WriteMark = { writing: true };
    const entries = keys.map((key) => [key, mark] as const);
    return this.#scope.setMany(entries, { ttl: this.#writeTtlMs });
  }

  /** @param all also every other list @returns whether Redis confirmed */
  async forget(keys: readonly Segments[], all = false): Promise<boolean> {
    const done = await Promise.all([all ? this.forgetAll() : true, this.#scope.deleteMany(keys)]);
    return done.every(Boolean);
  }

  /** As `forget`, or `forgetAll`, without asking Redis, which just did not answer: it is done when Redis returns. */
  forgetLater(keys: readonly Segments[], all: boolean): void {
    this.#scope.doubt(keys, all ? [this.#keys.listTag] : []);
  }

  /** Ends every list at once, but not the marks of writes, at a cost that does not depend on their number. */
  async forgetAll(): Promise<boolean> {
    return this.#scope.invalidateTags([this.#keys.listTag]);
  }
}

/** As a cache would hand it out; what cannot be copied is the caller's as it is. */
function frozenCopy(list: readonly unknown[]): readonly unknown[] {
  try {
    return copyValue(list, { frozen: true });
  } catch {
    return list;
  }
}

function isMark(value: unknown): value is WriteMark {
  return typeof value === 'object' && value !== null && 'writing' in value;
}
