import { encodeKey, TierkitError, type Key } from '@tierkit/core';
import type { LoaderContext } from '../loads/loader-context.ts';
import { RepositoryKeys, type Fields, type Segments } from './repository-keys.ts';
import { RepositoryLists } from './repository-lists.ts';
import type {
  AnyIndex,
  IdOf,
  IndexName,
  Repository,
  RepositoryOptions,
  RepositorySource,
} from './repository-options.ts';
import { RepositoryCounts, type RepositoryStats } from './repository-stats.ts';
import { RepositoryWrites, type WriteEnd } from './repository-writes.ts';
import type { ScopeMethods } from '../scope-methods.ts';
import type { LoadOptions } from '../scope-options.ts';

/**
 * A cached repository around anything that finds and writes entities of one kind: reads go through the cache, and writes
 * keep it right, from any number of processes.
 *
 * @throws {TierkitError} `ERR_CACHE_OPTIONS`, `ERR_DURATION_INVALID`. A method that the source lacks rejects with
 * `ERR_CACHE_SOURCE`, an index that is not there and a value that no list can be kept by with `ERR_KEY_INVALID`.
 */
export function repository<
  T extends object,
  Draft = T,
  Id extends string | number = IdOf<T>,
  const Indexes extends readonly AnyIndex<T>[] = readonly AnyIndex<T>[],
>(
  source: RepositorySource<T, Id, Draft>,
  options: RepositoryOptions<T, Id, Indexes> & { readonly scope: ScopeMethods },
): Repository<T, Id, Draft, IndexName<Indexes>> {
  const cached = new CachedRepository(source as AnySource, options as unknown as AnyOptions);
  return cached as unknown as Repository<T, Id, Draft, IndexName<Indexes>>;
}

type AnyId = string | number;
type AnySource = RepositorySource<Fields, AnyId, Fields>;
type AnyOptions = RepositoryOptions<Fields, AnyId> & { readonly scope: ScopeMethods };

class CachedRepository implements Repository<Fields, AnyId, Fields, string> {
  readonly #source: AnySource;
  readonly #options: AnyOptions;
  readonly #policy: LoadOptions;
  readonly #scope: ScopeMethods;
  readonly #keys: RepositoryKeys;
  readonly #lists: RepositoryLists;
  readonly #writes: RepositoryWrites;
  readonly #counts: RepositoryCounts;

  constructor(source: AnySource, options: AnyOptions) {
    const { scope: place, entity, indexes = [], allTtl: _all, idOf = (one) => one['id'] as AnyId, ...rest } = options;
    const { serialize = (one) => one, deserialize, writeTimeout = '30s', ...policy } = rest;
    if (place === undefined) throw invalid('scope', '`scope` says where entries are kept');
    if ((options.serialize === undefined) !== (deserialize === undefined))
      throw invalid('serialize', '`serialize` and `deserialize` are given together');
    const scope = place.countedAs(entity);
    this.#source = source;
    this.#options = options;
    this.#scope = scope;
    this.#keys = new RepositoryKeys(entity, indexes);
    this.#policy = { ...policy, tags: [...(policy.tags ?? []), this.#keys.tag] };
    this.#lists = new RepositoryLists(scope, this.#keys, writeTimeout);
    this.#counts = new RepositoryCounts(['by_id', 'all', ...this.#keys.indexes.keys()]);
    this.#writes = new RepositoryWrites({
      scope,
      idOf,
      serialize,
      policy: this.#policy,
      keys: this.#keys,
      lists: this.#lists,
      counts: this.#counts,
      find: source.findById && (async (id) => (await source.findById?.(id)) ?? undefined),
    });
  }

  async findById(id: AnyId): Promise<Fields | undefined> {
    const find = this.#method('findById');
    let loaded = false;
    const load = async (context: LoaderContext): Promise<unknown> => {
      loaded = true;
      const entity = await find(id);
      if (entity) return this.#serialize(entity);
      return this.#policy.negativeTtl === undefined ? undefined : context.absent();
    };
    const stored = await this.#scope.getOrSet(this.#keys.id(id), load, this.#policy);
    this.#counts.count('by_id', !loaded);
    return stored === undefined ? undefined : this.#deserialize(stored);
  }

  async findByIds(ids: readonly AnyId[]): Promise<(Fields | undefined)[]> {
    if (this.#source.findByIds === undefined) return Promise.all(ids.map((id) => this.findById(id)));
    const byKey = new Map(ids.map((id) => [encodeKey(this.#keys.id(id)), id]));
    let loaded = 0;
    const load = async (missing: readonly Key[]): Promise<unknown[]> => {
      loaded += missing.length;
      const wanted = missing.map((key) => byKey.get(encodeKey(key)) as AnyId);
      const entities = Array.from(await this.#method('findByIds')(wanted), (one) => [this.#idOf(one), one] as const);
      const byId = new Map(entities.map(([id, entity]) => [String(id), entity]));
      return wanted.map((id) => {
        const entity = byId.get(String(id));
        return entity && this.#serialize(entity);
      });
    };
    const keys = ids.map((id) => this.#keys.id(id));
    const found = await this.#scope.getOrSetMany(keys, load, this.#policy);
    for (const index of ids.keys()) this.#counts.count('by_id', index >= loaded);
    const failed = found.find((one) => one instanceof Error);
    if (failed !== undefined) throw failed;
    return found.map((stored) => (stored === undefined ? undefined : this.#deserialize(stored)));
  }

  async findBy(name: string, value: unknown): Promise<readonly Fields[]> {
    const findBy = this.#method('findBy');
    const { key, where, ttl } = this.#index(name, value);
    return this.#list(name, key, () => findBy(where), ttl);
  }

  async findAll(): Promise<readonly Fields[]> {
    return this.#list('all', this.#keys.all, this.#method('findAll'), this.#options.allTtl);
  }

  async save(entity: Fields): Promise<Fields | undefined> {
    const save = this.#method('save');
    const id = this.#idOf(entity) ?? undefined;
    return entityOf(await this.#writes.run({ id, predict: () => entity, write: () => save(entity) }));
  }

  async update(id: AnyId, changes: Fields): Promise<Fields | undefined> {
    const update = this.#method('update');
    const predict = (before: Fields | undefined): Fields => ({ ...before, ...changes });
    return entityOf(await this.#writes.run({ id, predict, write: () => update(id, changes) }));
  }

  async delete(id: AnyId): Promise<unknown> {
    const remove = this.#method('delete');
    const { result } = await this.#writes.run({ id, predict: () => undefined, write: () => remove(id) });
    return result;
  }

  async invalidate(what: string, value?: unknown): Promise<boolean> {
    if (what === 'by_id') return this.#scope.delete(this.#keys.id(value as AnyId));
    if (what === 'lists') return this.#lists.forgetAll();
    if (what === 'all') return this.#scope.invalidateTags([this.#keys.tag]);
    return this.#lists.forget([this.#index(what, value).key]);
  }

  async stats(): Promise<RepositoryStats> {
    const { all } = this.#keys;
    const ttl = (await this.#lists.has(all)) ? await this.#scope.ttl(all) : undefined;
    return this.#counts.snapshot(this.#options.entity, ttl);
  }

  async #list(
    name: string,
    key: Segments,
    find: () => Promise<readonly Fields[]>,
    ttl: LoadOptions['ttl'],
  ): Promise<readonly Fields[]> {
    let loaded = false;
    const load = async (): Promise<unknown[]> => {
      loaded = true;
      return Array.from(await find(), (entity) => this.#serialize(entity));
    };
    const policy = ttl === undefined ? this.#policy : { ...this.#policy, ttl };
    const stored = await this.#lists.get(key, load, policy);
    this.#counts.count(name, !loaded);
    if (this.#options.deserialize === undefined) return stored as readonly Fields[];
    return stored.map((one) => this.#deserialize(one));
  }

  /** A value of an index by its name: the list's key, and what the source is asked for. */
  #index(
    name: string,
    value: unknown,
  ): { readonly key: Segments; readonly where: Fields; readonly ttl: LoadOptions['ttl'] } {
    const index = this.#keys.indexes.get(name);
    if (index === undefined) {
      const message = `"${this.#options.entity}" has no index "${name}"`;
      throw new TierkitError('ERR_KEY_INVALID', message, { details: { index: name } });
    }
    const [field = name] = index.fields;
    const fields = index.fields.length === 1 ? { [field]: value } : ((value ?? {}) as Fields);
    const key = this.#keys.list(index, fields);
    return { key, where: Object.fromEntries(index.fields.map((one) => [one, fields[one]])), ttl: index.ttl };
  }

  #idOf(entity: Fields): AnyId | undefined {
    return this.#options.idOf === undefined ? (entity['id'] as AnyId | undefined) : this.#options.idOf(entity);
  }

  #serialize(entity: Fields): unknown {
    return this.#options.serialize === undefined ? entity : this.#options.serialize(entity);
  }

  #deserialize(stored: unknown): Fields {
    return this.#options.deserialize === undefined ? (stored as Fields) : this.#options.deserialize(stored);
  }

  #method<Name extends keyof AnySource>(name: Name): NonNullable<AnySource[Name]> {
    const method = this.#source[name];
    if (typeof method === 'function') return method.bind(this.#source) as NonNullable<AnySource[Name]>;
    const { entity } = this.#options;
    throw new TierkitError('ERR_CACHE_SOURCE', `the source of "${entity}" has no method ${name}`, {
      details: { entity, method: name },
    });
  }
}

function entityOf({ entity }: WriteEnd): Fields | undefined {
  return entity;
}

function invalid(option: string, message: string): TierkitError {
  return new TierkitError('ERR_CACHE_OPTIONS', message, { details: { option } });
}
