import { parseDuration, type Duration } from '@tierkit/core';
import { freshName } from '../stores/fresh-generation.ts';
import type { RepositoryKeys, Segments } from './repository-keys.ts';
import type { ScopeMethods } from '../scope-methods.ts';
import type { LoadOptions } from '../scope.ts';

/** Stands for a list while an entity is written that it has, had or may get. */
interface WriteMark {
  readonly writing: string;
}

/** How long those who read a list during a write share what one of them loaded; the end of the write ends it as well. */
const DURING_WRITE_TTL: Duration = '1s';

/** The lists of a repository: cached, but not while one of their entities is being written. */
export class RepositoryLists {
  readonly #scope: ScopeMethods;
  readonly #keys: RepositoryKeys;
  readonly #writeTtlMs: number;

  constructor(scope: ScopeMethods, keys: RepositoryKeys, writeTimeout: Duration) {
    this.#scope = scope;
    this.#keys = keys;
    this.#writeTtlMs = Math.ceil(parseDuration(writeTimeout, 'writeTimeout'));
  }

  async get(key: Segments, load: () => Promise<unknown[]>, options: LoadOptions): Promise<readonly unknown[]> {
    const tags = [...(options.tags ?? []), this.#keys.listTag];
    const found = await this.#scope.getOrSet<unknown>(key, load, { ...options, tags });
    if (!isMark(found)) return found as readonly unknown[];
    // Known to this write alone, it cannot be met by those who read after the write.
    const during = [...key, '~writing', found.writing];
    return this.#scope.getOrSet(during, load, { ttl: DURING_WRITE_TTL, tags });
  }

  /** Whether a list is cached that would be served. */
  async has(key: Segments): Promise<boolean> {
    return Array.isArray(await this.#scope.get(key));
  }

  /** From now on nothing that is loaded for these lists is kept, until they are forgotten or the time is over. */
  async beginWrite(keys: readonly Segments[]): Promise<void> {
    const mark: WriteMark = { writing: freshName() };
    const entries = keys.map((key) => [key, mark] as const);
    await this.#scope.setMany(entries, { ttl: this.#writeTtlMs });
  }

  async forget(keys: readonly Segments[]): Promise<boolean> {
    return this.#scope.deleteMany(keys);
  }

  /** Ends every list at once, but not the marks of writes, at a cost that does not depend on their number. */
  async forgetAll(): Promise<boolean> {
    return this.#scope.invalidateTags([this.#keys.listTag]);
  }
}

function isMark(value: unknown): value is WriteMark {
  return typeof value === 'object' && value !== null && 'writing' in value;
}
