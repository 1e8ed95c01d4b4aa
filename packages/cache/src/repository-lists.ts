import { parseDuration, type Duration } from '@tierkit/core';
import { CheckedLoads } from './checked-loads.ts';
import { freshName } from './fresh-generation.ts';
import type { RepositoryKeys, Segments } from './repository-keys.ts';
import type { LoadOptions, ScopeMethods } from './scope-methods.ts';

/** A cached list. It ends with its epoch. */
interface StoredList {
  readonly epoch: string;
  readonly items: readonly unknown[];
}

/** Stands for a list while an entity is written that it has, had or may get. */
interface WriteMark {
  readonly writing: string;
}

/** An epoch that is lost ends all lists, so that it may end at any time. */
const EPOCH_TTL: Duration = '30d';
/** How long those who read a list during a write share what one of them loaded; the end of the write ends it as well. */
const DURING_WRITE_TTL: Duration = '1s';

/** The lists of a repository: cached, but not while one of their entities is being written. */
export class RepositoryLists {
  readonly #scope: ScopeMethods;
  readonly #keys: RepositoryKeys;
  readonly #loads: CheckedLoads;
  readonly #writeTtlMs: number;

  constructor(scope: ScopeMethods, keys: RepositoryKeys, writeTimeout: Duration) {
    this.#scope = scope;
    this.#keys = keys;
    this.#loads = new CheckedLoads(scope);
    this.#writeTtlMs = Math.ceil(parseDuration(writeTimeout, 'writeTimeout'));
  }

  async get(key: Segments, load: () => Promise<readonly unknown[]>, options: LoadOptions): Promise<readonly unknown[]> {
    let loaded: StoredList | undefined;
    const loader = async (): Promise<StoredList> => {
      const epoch = await this.#epoch();
      return (loaded = { epoch, items: await load() });
    };
    // What was loaded for this call needs no check, which without Redis it might not pass.
    const judge = async (value: unknown): Promise<StoredList | WriteMark | undefined> => loaded ?? this.#judge(value);
    const found = await this.#loads.get(key, loader, judge, options);
    if (found === undefined) return load();
    if ('items' in found) return found.items;
    // Known to this write alone, it cannot be met by those who read after the write.
    const during = [...key, '~writing', found.writing];
    return this.#scope.getOrSet(during, load, { ttl: DURING_WRITE_TTL });
  }

  /** Whether a list is cached that would be served. */
  async has(key: Segments): Promise<boolean> {
    const found = await this.#judge(await this.#scope.get(key));
    return found !== undefined && 'items' in found;
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

  /** Ends every list at once, at a cost that does not depend on their number. */
  async forgetAll(): Promise<boolean> {
    return this.#scope.set(this.#keys.epoch, freshName(), { ttl: EPOCH_TTL });
  }

  async #judge(value: unknown): Promise<StoredList | WriteMark | undefined> {
    if (typeof value !== 'object' || value === null) return undefined;
    if ('writing' in value) return value as WriteMark;
    if (!('epoch' in value) || value.epoch !== (await this.#epoch())) return undefined;
    return value as StoredList;
  }

  #epoch(): Promise<string> {
    return this.#scope.getOrSet(this.#keys.epoch, freshName, { ttl: EPOCH_TTL });
  }
}
