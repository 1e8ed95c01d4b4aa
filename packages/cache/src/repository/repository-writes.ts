import type { Fields, RepositoryKeys, Segments } from './repository-keys.ts';
import type { RepositoryLists } from './repository-lists.ts';
import type { RepositoryCounts } from './repository-stats.ts';
import type { ScopeMethods } from '../scope-methods.ts';
import type { LoadOptions } from '../scope-options.ts';

/** One write of one entity. */
export interface EntityWrite {
  /** Undefined while the source is to choose it. */
  readonly id: string | number | undefined;
  /** The entity's fields after the write, as far as they can be told before it; undefined if it will be gone. */
  readonly predict: (before: Fields | undefined) => Fields | undefined;
  /** Writes. @returns the entity as it is then, or something else if the source does not tell */
  readonly write: () => Promise<unknown>;
}

export interface WriteEnd {
  readonly result: unknown;
  /** The entity as the source has it after the write, if known. */
  readonly entity: Fields | undefined;
}

interface Parts {
  readonly scope: ScopeMethods;
  readonly keys: RepositoryKeys;
  readonly lists: RepositoryLists;
  readonly counts: RepositoryCounts;
  readonly policy: LoadOptions;
  /** Undefined where the source cannot be asked for one entity. */
  readonly find: ((id: string | number) => Promise<Fields | undefined>) | undefined;
  readonly idOf: (entity: Fields) => string | number;
  readonly serialize: (entity: Fields) => unknown;
}

/**
 * Writes of entities that leave nothing older in the cache.
 *
 * A write forgets the lists that have the entity after it, and those that had it before. Which these are is read from the
 * source under the write's right to the entity: whoever else writes the entity meanwhile takes that right away, so that
 * the write learns of it and forgets all lists. While the source is written the lists hold a mark in place of values;
 * a process that dies meanwhile leaves behind marks, which expire, rather than lists from before its write.
 */
export class RepositoryWrites {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async run(change: EntityWrite): Promise<WriteEnd> {
    const { scope, keys, counts, policy, serialize } = this.#parts;
    const { id } = change;
    counts.writes++;
    if (id === undefined) return this.#create(change);
    const attempt = new Attempt(this.#parts, change);
    const { alone, confirmed } = await scope.updateThrough(
      keys.id(id),
      async (asked) => {
        const entity = await attempt.run(asked);
        return entity && serialize(entity);
      },
      policy,
    );
    return attempt.end(alone, confirmed);
  }

  /** Nobody else can write an entity whose id nobody knows. */
  async #create(change: EntityWrite): Promise<WriteEnd> {
    const { scope, keys, find, idOf, policy, serialize } = this.#parts;
    const attempt = new Attempt(this.#parts, change);
    const created = await attempt.run(true);
    const end = await attempt.end(true, true);
    if (created === undefined) return end;
    const id = idOf(created);
    if (attempt.away) {
      scope.doubt([keys.id(id)]);
      return end;
    }
    await scope.delete(keys.id(id));
    // Read again, since by now others may know the id and have written the entity.
    if (find !== undefined) {
      const load = async (): Promise<unknown> => {
        const entity = await find(id);
        return entity && serialize(entity);
      };
      await scope.getOrSet(keys.id(id), load, policy);
    }
    return end;
  }
}

class Attempt {
  readonly #parts: Parts;
  readonly #change: EntityWrite;
  readonly #id: string | number | undefined;
  readonly #lists: Segments[] = [];
  #listsKnown = true;
  /** Whether the write has spent its deadline on Redis already. */
  away = false;
  #result: unknown;
  #entity: Fields | undefined;
  #failure: { readonly error: unknown } | undefined;

  constructor(parts: Parts, change: EntityWrite) {
    this.#parts = parts;
    this.#change = change;
    this.#id = change.id;
    this.#lists.push(parts.keys.all);
  }

  /**
   * @param asked whether Redis answered just now
   * @returns the entity after the write, if it is known and there is one. Errors wait for `end`.
   */
  async run(asked: boolean): Promise<Fields | undefined> {
    const { keys, lists } = this.#parts;
    const { predict, write } = this.#change;
    const before = keys.indexes.size > 0 && this.#id !== undefined ? await this.#find() : undefined;
    const predicted = predict(before);
    this.#add(before);
    this.#add(predicted);
    if (!asked) lists.forgetLater(this.#lists, false);
    this.away = !asked || !(await lists.beginWrite(this.#lists));
    try {
      this.#result = await write();
    } catch (error) {
      this.#failure = { error };
      return undefined;
    }
    if (predicted === undefined) return undefined;
    this.#entity = isEntity(this.#result) ? this.#result : await this.#find();
    this.#add(this.#entity);
    return this.#entity;
  }

  /** @throws what the source threw, when the cache is in order */
  async end(alone: boolean, confirmed: boolean): Promise<WriteEnd> {
    const { lists, counts } = this.#parts;
    const known = alone && this.#listsKnown;
    if (!known) counts.allListsForgotten++;
    this.away ||= !confirmed;
    if (this.away) lists.forgetLater(this.#lists, !known);
    else this.away = !(await lists.forget(this.#lists, !known));
    if (this.#failure !== undefined) throw this.#failure.error;
    return { result: this.#result, entity: this.#entity };
  }

  #add(fields: Fields | undefined): void {
    if (fields !== undefined) this.#lists.push(...this.#parts.keys.listsOf(fields));
  }

  async #find(): Promise<Fields | undefined> {
    const { find, keys } = this.#parts;
    try {
      if (find !== undefined && this.#id !== undefined) return await find(this.#id);
    } catch {
      // If the source cannot be reached, the write says so.
    }
    this.#listsKnown = keys.indexes.size === 0;
    return undefined;
  }
}

function isEntity(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null;
}
