import { TierkitError, type Duration, type Key } from '@tierkit/core';
import type { IndexOptions } from './repository-options.ts';

/** An index as it was validated. */
export interface Index {
  readonly name: string;
  readonly fields: readonly string[];
  readonly ttl: Duration | undefined;
  readonly normalize: (value: string) => string;
}

export type Segments = readonly (string | number)[];
export type Fields = Readonly<Record<string, unknown>>;

/**
 * Where a repository's entries lie: `hero:42`, `hero:language:en`, `hero:exact:Ann:7:girl`, `hero:all`.
 *
 * What would be taken for another kind of key is marked with `~`, which begins no name of an index: an entity whose id
 * is `all`, a string that reads like a number.
 */
export class RepositoryKeys {
  readonly all: Segments;
  /** The tag of everything of this kind. */
  readonly tag: string;
  /** The tag of lists. */
  readonly listTag: string;
  readonly indexes: ReadonlyMap<string, Index>;
  readonly #entity: string;

  constructor(entity: string, indexes: readonly (string | IndexOptions<Record<string, unknown>>)[]) {
    if (!/^[a-z][\w-]*$/i.test(entity)) throw invalid('entity', `"${entity}" is no name for an entity`);
    this.#entity = entity;
    this.all = [entity, 'all'];
    this.tag = entity;
    this.listTag = `${entity}:lists`;
    this.indexes = new Map(indexes.map((index) => validateIndex(index)).map((index) => [index.name, index]));
    if (this.indexes.size !== indexes.length) throw invalid('indexes', 'two indexes have the same name');
  }

  id(id: string | number): Key {
    return id === 'all' ? [this.#entity, '~id', id] : [this.#entity, id];
  }

  /** @throws {TierkitError} `ERR_KEY_INVALID`: a value is missing, or neither string, number, boolean, bigint nor null. */
  list(index: Index, fields: Fields): Segments {
    return [this.#entity, index.name, ...index.fields.map((field) => segment(index, field, fields[field]))];
  }

  /**
   * The lists that an entity with these fields is in, that of all included. One without a value, or with one that no
   * list can be asked for by, is in no list of that index.
   */
  listsOf(fields: Fields): Segments[] {
    const indexes = [...this.indexes.values()];
    const known = indexes.filter((index) => index.fields.every((field) => isIndexable(fields[field])));
    return [this.all, ...known.map((index) => this.list(index, fields))];
  }
}

const READS_LIKE_ANOTHER = /^(?:~.*|-?\d.*|-?Infinity|NaN|true|false|null|)$/s;

type Indexable = string | number | boolean | bigint | null;

function isIndexable(value: unknown): value is Indexable {
  return value === null || ['string', 'number', 'boolean', 'bigint'].includes(typeof value);
}

function segment(index: Index, field: string, value: unknown): string {
  if (!isIndexable(value)) {
    const message = `the index "${index.name}" needs a string, number, boolean, bigint or null as ${field}`;
    throw new TierkitError('ERR_KEY_INVALID', message, { details: { index: index.name, field } });
  }
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value !== 'string') return String(value);
  const text = index.normalize(value);
  return READS_LIKE_ANOTHER.test(text) ? `~${text}` : text;
}

function validateIndex(given: string | IndexOptions<Record<string, unknown>>): Index {
  const index = typeof given === 'string' ? { name: given } : given;
  const { name, fields = [name], ttl, normalize = (value: string) => value } = index;
  if (!/^[a-z]\w*$/i.test(name)) throw invalid('indexes', `"${name}" is no name for an index`);
  if (['all', 'by_id', 'lists'].includes(name)) throw invalid('indexes', `"${name}" is taken`);
  if (fields.length === 0) throw invalid('indexes', `the index "${name}" has no fields`);
  return { name, fields, ttl, normalize };
}

function invalid(option: string, message: string): TierkitError {
  return new TierkitError('ERR_CACHE_OPTIONS', message, { details: { option } });
}
