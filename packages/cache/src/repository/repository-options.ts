import type { Duration, Frozen } from '@tierkit/core';
import type { RepositoryStats } from './repository-stats.ts';
import type { LoadOptions } from '../scope-options.ts';

/** What a repository is put around: whatever finds and writes entities of one kind. Each method may be missing. */
export interface RepositorySource<T extends object, Id extends string | number, Draft = T> {
  findById?(id: Id): Promise<T | null | undefined>;
  /** Several at once, in any order; those that do not exist are left out. */
  findByIds?(ids: readonly Id[]): Promise<readonly T[]>;
  /** All entities whose fields have these values. */
  findBy?(where: Partial<T>): Promise<readonly T[]>;
  findAll?(): Promise<readonly T[]>;
  /** Creates, or replaces by id. */
  // oxlint-disable-next-line typescript/no-invalid-void-type -- sources that return nothing are common
  save?(entity: Draft): Promise<T | null | undefined | void>;
  // oxlint-disable-next-line typescript/no-invalid-void-type -- sources that return nothing are common
  update?(id: Id, changes: Partial<T>): Promise<T | null | undefined | void>;
  delete?(id: Id): Promise<unknown>;
}

/** Lists by the value of a field, or by those of several together. */
export interface IndexOptions<T extends object> {
  /** What the keys and `findBy` call it. */
  readonly name: string;
  /** @default the field of that name */
  readonly fields?: readonly (keyof T & string)[];
  /** Time to live of its lists. @default the repository's `ttl` */
  readonly ttl?: Duration;
  /** Values that the source takes for the same must become the same here: lower case, for example. */
  readonly normalize?: (value: string) => string;
}

/** The type of an entity's `id`. */
export type IdOf<T> = T extends { readonly id: infer Id extends string | number } ? Id : string;

/** An index by the name of its field, or with a name of its own. */
export type AnyIndex<T extends object> = (keyof T & string) | IndexOptions<T>;

/** The names of indexes, where they are literals. */
export type IndexName<Indexes extends readonly unknown[]> = Literal<NameOf<Indexes[number]>>;
type NameOf<One> = One extends { readonly name: infer Name extends string } ? Name : One extends string ? One : never;
type Literal<Name extends string> = string extends Name ? never : Name;

/** The rest is as for `getOrSet`, and holds for entities by id and for lists. */
export interface RepositoryOptions<
  T extends object,
  Id extends string | number,
  Indexes extends readonly AnyIndex<T>[] = readonly AnyIndex<T>[],
> extends LoadOptions {
  /** What the keys begin with: `hero` makes `hero:42`, `hero:language:en`, `hero:all`. */
  readonly entity: string;
  /** Indexes by the name of their field, or with a name of their own. @default none */
  readonly indexes?: Indexes;
  /** Time to live of the list of all. @default `ttl` */
  readonly allTtl?: Duration;
  /** @default the entity's `id` */
  readonly idOf?: (entity: T) => Id;
  /** What is stored of an entity. @default the entity as it is, which must then be plain data */
  readonly serialize?: (entity: T) => unknown;
  /** Makes an entity of what is stored, for each caller one; given together with `serialize`. */
  readonly deserialize?: (stored: unknown) => T;
  /**
   * Longer than a write of the source takes. Lists that a write changes are not cached while it runs; if its process dies
   * they are not for this long. @default '30s'
   */
  readonly writeTimeout?: Duration;
}

/** Reads of one source through the cache, and writes to it that keep the cache right. */
export interface Repository<T extends object, Id extends string | number, Draft, Index extends string> {
  /** The entity, or undefined if there is none. */
  findById(id: Id): Promise<Frozen<T> | undefined>;
  /** The entities of several ids, in order. */
  findByIds(ids: readonly Id[]): Promise<(Frozen<T> | undefined)[]>;
  /** The list of an index, by its value or, if it has several fields, by an object with all of them. */
  findBy(index: Index, value: unknown): Promise<readonly Frozen<T>[]>;
  findAll(): Promise<readonly Frozen<T>[]>;
  /**
   * Creates or replaces an entity, forgets the lists that it was in and is in, and keeps it by id.
   *
   * Once it has resolved, no read that begins later gets what was before, whoever else writes the entity at the same
   * time. The source's error reaches the caller; what it may have changed is forgotten all the same.
   *
   * @returns the entity as the source has it, if the source tells
   */
  save(entity: Draft): Promise<Frozen<T> | undefined>;
  /** Changes fields of an entity. @see save */
  update(id: Id, changes: Partial<T>): Promise<Frozen<T> | undefined>;
  /** Deletes an entity. @returns what the source returned @see save */
  delete(id: Id): Promise<unknown>;
  /**
   * Forgets one entity, one list, all lists, or everything of this kind, after changes that did not come through a
   * repository. Its cost does not depend on their number: what is kept has the tags `entity` and `entity:lists`.
   *
   * @returns whether Redis confirmed
   */
  invalidate(what: 'by_id', id: Id): Promise<boolean>;
  invalidate(what: Index, value: unknown): Promise<boolean>;
  invalidate(what: 'lists' | 'all'): Promise<boolean>;
  stats(): Promise<RepositoryStats>;
}
