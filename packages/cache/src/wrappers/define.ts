import type { StandardSchemaV1 } from '@standard-schema/spec';
import { encodeKey, TierkitError, type Frozen, type Key } from '@tierkit/core';
import { CheckedLoads } from '../loads/checked-loads.ts';
import { Prefetch, type PrefetchCounts, type PrefetchOptions } from '../warming/prefetch.ts';
import { SchemaCheck } from './schema-check.ts';
import { LoadOutcome, type LoaderContext } from '../loads/loader-context.ts';
import type { Loaded, ScopeMethods } from '../scope-methods.ts';
import type { ConfirmOptions, LoadOptions, WriteOptions } from '../scope-options.ts';

interface DefinitionOptions<Id> extends LoadOptions {
  /** What messages and errors call the entry. */
  readonly name: string;
  /** The key, or what makes one of an id. */
  readonly key: Key | ((id: Id) => Key);
  /**
   * Fetches the id that usually followed the one that `get` is asked for, in the background: for accesses in an order
   * that comes again. @default false
   */
  readonly prefetch?: boolean | PrefetchOptions;
}

/**
 * Loads several entries in one call: as many answers as ids, in order; an Error for one that failed, undefined for one
 * that does not exist, which is kept if the definition has a `negativeTtl`.
 */
export type LoadMany<Id, T> = (
  ids: readonly Id[],
) => readonly (T | Error | undefined)[] | Promise<readonly (T | Error | undefined)[]>;

/** A family of entries: options of `getOrSet`, said once. */
export interface EntryDefinition<Id, T> extends DefinitionOptions<Id> {
  /** Called on a miss; undefined is not stored. Without a loader a miss stays one. */
  // The value's type comes from the loader, so that it cannot be known to what the loader is given.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly load?: (id: Id, context: LoaderContext<any>) => Loaded<T> | Promise<Loaded<T>>;
  /** Called by `getMany` with what is missing, and where `load` is not given. @see LoadMany */
  readonly loadMany?: LoadMany<Id, T>;
  readonly schema?: undefined;
}

/** As `EntryDefinition`, with types from a Standard Schema (zod, valibot, arktype and others). */
export interface SchemaEntryDefinition<Id, S extends StandardSchemaV1> extends DefinitionOptions<Id> {
  /** What is loaded and given is checked before it is stored as it is; what the schema makes of it is handed out. */
  readonly schema: S;
  /** Called on a miss, and on a cached value that the schema refuses; undefined is not stored. */
  readonly load?: (
    id: Id,
    context: LoaderContext<StandardSchemaV1.InferInput<S>>,
  ) => Loaded<StandardSchemaV1.InferInput<S>> | Promise<Loaded<StandardSchemaV1.InferInput<S>>>;
  /** Called by `getMany` with what is missing, and where `load` is not given. @see LoadMany */
  readonly loadMany?: LoadMany<Id, StandardSchemaV1.InferInput<S>>;
}

/** Entries of one kind: a key, a loader, a schema and a policy that belong together. */
export interface Entry<Id, In, Out> {
  /**
   * The value; loaded on a miss, and when what is cached does not pass the schema.
   *
   * @throws {TierkitError} `ERR_CACHE_SCHEMA`: the loaded value does not pass; the loader's own error as it is.
   */
  get(id: Id): Promise<Frozen<Exclude<Out, undefined>> | undefined>;
  /**
   * The values of several ids, in order. What is missing is loaded by one call of `loadMany` or by one `load` an id; it
   * rejects with the error of the first that failed, when all have ended. @see get
   */
  getMany(ids: readonly Id[]): Promise<(Frozen<Exclude<Out, undefined>> | undefined)[]>;
  /** `tags` are added to the definition's. @returns whether Redis confirmed. @throws {TierkitError} `ERR_CACHE_SCHEMA` */
  set(id: Id, value: Exclude<In, undefined>, options?: WriteOptions): Promise<boolean>;
  /** @returns whether Redis confirmed */
  delete(id: Id, options?: ConfirmOptions): Promise<boolean>;
  /** What the in-process level holds, at once; undefined also when it may be out of date or a schema needs time for it. */
  peek(id: Id): Frozen<Exclude<Out, undefined>> | undefined;
  /** Deletes the entries of several ids. @returns whether Redis confirmed */
  invalidate(ids: readonly Id[], options?: ConfirmOptions): Promise<boolean>;
  /** Loads again, whatever is cached. @throws {TierkitError} `ERR_CACHE_OPTIONS`: there is no loader. */
  refresh(id: Id): Promise<Frozen<Exclude<Out, undefined>> | undefined>;
  /** Where an entry lies in its scope. */
  key(id: Id): Key;
  /** What `prefetch` did so far; undefined if it is off. */
  readonly prefetched: PrefetchCounts | undefined;
}

export type AnyDefinition = Omit<EntryDefinition<unknown, unknown>, 'schema'> & {
  readonly schema?: StandardSchemaV1 | undefined;
};

/** @throws {TierkitError} `ERR_CACHE_OPTIONS` */
export function validateDefinition(definition: AnyDefinition): void {
  const { name, key, load, loadMany, schema } = definition;
  if (typeof name !== 'string' || name === '') throw invalid('name', 'an entry needs a name');
  if (key === undefined) throw invalid('key', `the entry "${name}" needs a key`);
  if (load !== undefined && typeof load !== 'function') throw invalid('load', `"${name}".load is no function`);
  if (loadMany !== undefined && typeof loadMany !== 'function')
    throw invalid('loadMany', `"${name}".loadMany is no function`);
  if (schema !== undefined && typeof schema['~standard']?.validate !== 'function')
    throw invalid('schema', `"${name}".schema is no Standard Schema`);
}

/** Begins a call that loads a name in the background; undefined if it may not. */
type BeginUnawaited = (name: string, call: () => Promise<unknown>) => Promise<unknown> | undefined;

export function defineEntry(
  scope: ScopeMethods,
  definition: AnyDefinition,
  begin: BeginUnawaited,
): Entry<unknown, unknown, unknown> {
  validateDefinition(definition);
  return new DefinedEntry(scope, definition, begin);
}

/** One may be shared by definitions: it is returned as it is. @throws {TierkitError} `ERR_CACHE_OPTIONS` */
export function prefetchOf({ prefetch = false }: Pick<AnyDefinition, 'prefetch'>): Prefetch | undefined {
  if (prefetch === false || prefetch instanceof Prefetch) return prefetch || undefined;
  return new Prefetch(prefetch === true ? {} : prefetch);
}

type Load = NonNullable<AnyDefinition['load']>;

class DefinedEntry implements Entry<unknown, unknown, unknown> {
  readonly #scope: ScopeMethods;
  readonly #definition: AnyDefinition;
  readonly #options: LoadOptions;
  readonly #check: SchemaCheck | undefined;
  readonly #loads: CheckedLoads;
  readonly #load: AnyDefinition['load'];
  readonly #prefetch: Prefetch | undefined;
  readonly #begin: BeginUnawaited;

  constructor(scope: ScopeMethods, definition: AnyDefinition, begin: BeginUnawaited) {
    const { name, key: _key, load, loadMany, prefetch: _prefetch, schema, ...options } = definition;
    this.#prefetch = prefetchOf(definition);
    this.#begin = begin;
    this.#load = load ?? (loadMany && loadOneBy(loadMany, options.negativeTtl !== undefined));
    this.#scope = scope.countedAs(name);
    this.#definition = definition;
    this.#options = options;
    this.#check = schema && new SchemaCheck(schema, name);
    this.#loads = new CheckedLoads(this.#scope);
  }

  key(id: unknown): Key {
    const { key } = this.#definition;
    return typeof key === 'function' ? key(id) : key;
  }

  get prefetched(): PrefetchCounts | undefined {
    return this.#prefetch?.counts;
  }

  async get(id: unknown): Promise<unknown> {
    const key = this.key(id);
    if (this.#prefetch === undefined) return this.#get(id, key);
    // Before the load begins: nobody would wait for it if there is no such key.
    const name = encodeKey(key);
    const answer = this.#get(id, key);
    this.#prefetch.accessed(name, id, (next) => {
      const following = this.key(next);
      if (this.#scope.peek(following) !== undefined) return undefined;
      const followingName = encodeKey(following);
      const done = this.#begin(followingName, () => this.#get(next, following));
      return done && { name: followingName, done };
    });
    return answer;
  }

  async #get(id: unknown, key: Key): Promise<unknown> {
    const load = this.#load;
    if (load === undefined) return this.#accept(await this.#scope.get(key));
    const check = this.#check;
    const loader = (context: LoaderContext): unknown => this.#loaded(load, id, context);
    if (check === undefined) return this.#scope.getOrSet(key, loader, this.#options);
    const verdict = await this.#loads.get(key, loader, (value) => check.judge(value), this.#options);
    return verdict?.value;
  }

  #loaded(load: Load, id: unknown, context: LoaderContext): unknown {
    return this.#check === undefined ? load(id, context) : this.#loadedAndChecked(this.#check, load, id, context);
  }

  async #loadedAndChecked(check: SchemaCheck, load: Load, id: unknown, context: LoaderContext): Promise<unknown> {
    const loaded = await load(id, context);
    const { kind, value } = LoadOutcome.of(loaded);
    if (kind === 'value' && value !== undefined) await check.require(value);
    return loaded;
  }

  async getMany(ids: readonly unknown[]): Promise<unknown[]> {
    const keys = ids.map((id) => this.key(id));
    const found = await this.#getMany(ids, keys);
    const accepted = found.map(async (end, index) => {
      if (end.status === 'rejected') throw end.reason;
      const { value } = end;
      if (value === undefined) return undefined;
      // Refused by the schema.
      return (await this.#accept(value)) ?? (this.#load && this.get(ids[index]));
    });
    const ends = await Promise.allSettled(accepted);
    return ends.map((end) => {
      if (end.status === 'rejected') throw end.reason;
      return end.value;
    });
  }

  async #getMany(ids: readonly unknown[], keys: readonly Key[]): Promise<PromiseSettledResult<unknown>[]> {
    const { loadMany } = this.#definition;
    const load = this.#load;
    if (loadMany === undefined) {
      if (load === undefined) return (await this.#scope.getMany(keys)).map(settled);
      const loadOne = (index: number, context: LoaderContext): unknown => this.#loaded(load, ids[index], context);
      return this.#scope.getOrSetEach(keys, loadOne, this.#options);
    }
    const idOf = new Map(keys.map((key, index) => [key, ids[index]]));
    const loadBatch = async (missing: readonly Key[]): Promise<readonly unknown[]> =>
      this.#checked(await loadMany(missing.map((key) => idOf.get(key))));
    const check = this.#check;
    const values = await (check === undefined
      ? this.#scope.getOrSetMany(keys, loadBatch, this.#options)
      : this.#loads.getMany(keys, loadBatch, (value) => check.judge(value), this.#options));
    return values.map(settled);
  }

  /** Loaded values, with an Error in place of each that the schema refuses. */
  async #checked(answers: readonly unknown[]): Promise<readonly unknown[]> {
    const check = this.#check;
    if (check === undefined || !Array.isArray(answers)) return answers;
    const checked = answers.map(async (value) => {
      if (value === undefined || value instanceof Error) return value;
      return check.require(value).then(
        () => value,
        (error: unknown) => error,
      );
    });
    return Promise.all(checked);
  }

  async set(id: unknown, value: unknown, options?: WriteOptions): Promise<boolean> {
    await this.#check?.require(value);
    const tags = (this.#options.tags ?? []).concat(options?.tags ?? []);
    return this.#scope.set(this.key(id), value, { ...this.#options, ...options, tags });
  }

  async delete(id: unknown, options?: ConfirmOptions): Promise<boolean> {
    return this.#scope.delete(this.key(id), options);
  }

  peek(id: unknown): unknown {
    const value = this.#scope.peek(this.key(id));
    return value === undefined || this.#check === undefined ? value : this.#check.judgeNow(value)?.value;
  }

  async invalidate(ids: readonly unknown[], options?: ConfirmOptions): Promise<boolean> {
    return this.#scope.deleteMany(
      ids.map((id) => this.key(id)),
      options,
    );
  }

  async refresh(id: unknown): Promise<unknown> {
    if (this.#load === undefined) throw invalid('load', `the entry "${this.#definition.name}" has no loader`);
    await this.#scope.delete(this.key(id));
    return this.get(id);
  }

  async #accept(value: unknown): Promise<unknown> {
    if (value === undefined || this.#check === undefined) return value;
    return (await this.#check.judge(value))?.value;
  }
}

function settled(value: unknown): PromiseSettledResult<unknown> {
  return value instanceof Error ? { status: 'rejected', reason: value } : { status: 'fulfilled', value };
}

function loadOneBy(
  loadMany: LoadMany<unknown, unknown>,
  keepsAbsence: boolean,
): (id: unknown, context: LoaderContext) => Promise<unknown> {
  return async (id, context) => {
    const [value] = await loadMany([id]);
    if (value instanceof Error) throw value;
    return value === undefined && keepsAbsence ? context.absent() : value;
  };
}

function invalid(option: string, message: string): TierkitError {
  return new TierkitError('ERR_CACHE_OPTIONS', message, { details: { option } });
}
