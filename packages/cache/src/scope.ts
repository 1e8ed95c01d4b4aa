import { encodeKey, type Key } from '@tierkit/core';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { beginUnawaited } from './loads/background-loads.ts';
import { loadPlan, writePlan, type ConfirmOptions, type LoadOptions, type WriteOptions } from './scope-options.ts';
import { ScopeReads } from './scope-reads.ts';
import type { ScopeState } from './scope-state.ts';
import {
  warmEntries,
  warmKeys,
  type WarmKeysOptions,
  type WarmOptions,
  type WarmResult,
  type WarmSource,
} from './warming/warm.ts';
import { ContentCache, type ContentOptions } from './wrappers/content-cache.ts';
import { defineEntry, type Entry, type EntryDefinition, type SchemaEntryDefinition } from './wrappers/define.ts';
import type { WriteBehindQueue } from './write-behind/queue.ts';
import { deleteBehind, writeBehind } from './write-behind/write-behind.ts';
import type { EncodedValue } from './writes/entry-steps.ts';
import { updateThrough, writeThrough, type UpdateThrough, type WriteThrough } from './writes/write-through.ts';
import {
  clear,
  doubt,
  encodeValue,
  invalidateTags,
  remove,
  removeByPattern,
  write,
  type PatternDeletion,
  type PatternOptions,
} from './writes/writes.ts';

/**
 * The keys of one session, one project, or of the global tier.
 *
 * Reads never reject because of the cache: with Redis away they answer from the in-process level, then as a miss.
 * Changes resolve to whether Redis confirmed them. Values are frozen, or a copy a call where freezing does not hold.
 */
export class Scope extends ScopeReads {
  readonly #state: ScopeState;

  /** @internal */
  constructor(state: ScopeState) {
    super(state);
    this.#state = state;
  }

  /** Results by the content that they were made from, under a name. @throws {TierkitError} `ERR_CACHE_OPTIONS` */
  content(name: string, options?: ContentOptions): ContentCache {
    return new ContentCache(this.countedAs(name), name, options);
  }

  /**
   * Puts entries into the cache that it lacks: pairs of a key and a value, or a key and a loader that is called if the
   * key is missing. What is there is left alone, and what another caller loads is not loaded again. A failed key is
   * counted and does not stop it; only an error of the source or of a callback rejects.
   */
  warm(entries: WarmSource<readonly [Key, unknown]>, options?: WarmOptions): Promise<WarmResult>;
  /** The same for keys that are loaded in batches. */
  warm<K extends Key, T>(keys: WarmSource<K>, options: WarmKeysOptions<K, T>): Promise<WarmResult>;
  async warm(
    source: WarmSource<never>,
    options: WarmOptions | WarmKeysOptions<Key, unknown> = {},
  ): Promise<WarmResult> {
    const target = { scope: this, closing: this.#state.engine.background.closing };
    return 'load' in options ? warmKeys(target, source, options) : warmEntries(target, source, options);
  }

  /**
   * Saves a value in the source of truth, then stores it: readers meet the new value or none, and no load that began
   * before the save ended is kept. While the save runs, loads of the key wait for it, so `save` must not load the key.
   *
   * A value that cannot be stored is refused before anything is saved. When `save` rejects, its error is passed on and
   * the key is left without an entry, since the source may have taken the value all the same. The cache's own failures
   * are told by the result. Of writes of one key that overlap, none is kept: their order in the source is unknown.
   *
   * @throws {TierkitError} `ERR_VALUE_UNSUPPORTED`, `ERR_VALUE_TOO_LARGE`, `ERR_KEY_INVALID`, `ERR_DURATION_INVALID`
   */
  async writeThrough<T, R = void>(
    key: Key,
    value: T,
    save: (value: T) => R | Promise<R>,
    options?: Omit<WriteOptions, 'required'>,
  ): Promise<WriteThrough<R>> {
    const entry = encodeValue(this.#state, encodeKey(key), value, options?.sensitive === true);
    return writeThrough(this.#state, entry, async () => save(value), writePlan(this.#state, options));
  }

  /**
   * As `writeThrough` for a change whose outcome is known only when the source has made it: `update` resolves to the new
   * value, or to undefined if there is none any more. A value that cannot be stored is reported, and none is left.
   *
   * @param update is told whether Redis answered just now; if not, more questions would only take more time
   */
  async updateThrough(
    key: Key,
    update: (asked: boolean) => Promise<unknown>,
    options?: LoadOptions,
  ): Promise<UpdateThrough> {
    const { sensitive } = loadPlan(this.#state, options);
    return updateThrough(this.#state, encodeKey(key), update, { ...writePlan(this.#state, options), sensitive });
  }

  /**
   * Stores a value and puts it into the queue that takes it to the source of truth. Once it resolves, Redis has the value and
   * will not let go of it before the queue's sink has it, or a later one of the key. Until then reads answer it, whether the
   * cached entry expires, is cleared or ended by a tag, and no loader runs.
   *
   * One atomic step where the scope's entries and the queue are on one server; with `durableRedis` apart, and for the global
   * tier of a Cluster, the value is in the queue first, and the cache has no entry meanwhile.
   *
   * @returns the version under which the sink gets it, above those of all earlier writes of the key
   * @throws {TierkitError} `ERR_WRITE_BEHIND_UNCONFIRMED`: Redis did not confirm, and may still have taken it;
   *   `ERR_WRITE_BEHIND_FULL`, `ERR_WRITE_BEHIND_QUEUE`, `ERR_WRITE_BEHIND_EVICTION`, `ERR_WRITE_BEHIND_CLOSED`: it was not
   *   taken; and as `set`
   */
  async writeBehind(
    key: Key,
    value: unknown,
    queue: WriteBehindQueue,
    options?: Omit<WriteOptions, 'required'>,
  ): Promise<number> {
    const entry = encodeValue(this.#state, encodeKey(key), value, options?.sensitive === true);
    return writeBehind(this.#state, queue, entry, writePlan(this.#state, options));
  }

  /** Deletes a key, and puts that into the queue: until the sink has it, reads answer undefined. @see writeBehind */
  async deleteBehind(key: Key, queue: WriteBehindQueue): Promise<number> {
    return deleteBehind(this.#state, queue, encodeKey(key));
  }

  /**
   * Stores a value and tells every instance, in one atomic step.
   *
   * @returns whether Redis confirmed; otherwise the change may still take effect, and is invalidated when Redis returns
   * @throws {TierkitError} `ERR_VALUE_UNSUPPORTED`, `ERR_VALUE_TOO_LARGE`, `ERR_VALUE_KEY_MISSING`, `ERR_KEY_INVALID`,
   *   `ERR_DURATION_INVALID`, `ERR_CACHE_TAGS`
   */
  async set(key: Key, value: unknown, options?: WriteOptions): Promise<boolean> {
    const entry = encodeValue(this.#state, encodeKey(key), value, options?.sensitive === true);
    return write(this.#state, [entry], writePlan(this.#state, options), options?.required === true);
  }

  /** Stores several values with one time to live and the same tags; nothing is stored when one of them cannot be. @see set */
  async setMany(entries: Iterable<readonly [Key, unknown]>, options?: WriteOptions): Promise<boolean> {
    const encoded = new Map<string, EncodedValue>();
    for (const [key, value] of entries) {
      const name = encodeKey(key);
      encoded.set(name, encodeValue(this.#state, name, value, options?.sensitive === true));
    }
    const plan = writePlan(this.#state, options);
    if (encoded.size === 0) return true;
    return write(this.#state, [...encoded.values()], plan, options?.required === true);
  }

  /** Deletes a key, existing or not, and tells every instance. @returns whether Redis confirmed */
  async delete(key: Key, options?: ConfirmOptions): Promise<boolean> {
    return remove(this.#state, [encodeKey(key)], options?.required === true);
  }

  /** Deletes several keys. @see delete */
  async deleteMany(keys: readonly Key[], options?: ConfirmOptions): Promise<boolean> {
    if (keys.length === 0) return true;
    return remove(this.#state, [...new Set(keys.map(encodeKey))], options?.required === true);
  }

  /**
   * Keys and tags that were changed while Redis did not answer the same call: they are in doubt, and invalidated when it
   * returns.
   *
   * @internal
   */
  doubt(keys: readonly Key[], tags: readonly string[] = []): void {
    doubt(this.#state, keys.map(encodeKey), tags);
  }

  /**
   * Ends all keys of the scope at once, at the same cost for ten as for a million, and tells every instance. Loads that
   * run are not stored. The memory is reclaimed in the background.
   *
   * @returns whether Redis confirmed
   */
  async clear(options?: ConfirmOptions): Promise<boolean> {
    return clear(this.#state, options?.required === true);
  }

  /**
   * Ends all entries of the scope that have one of the tags, or one that those imply, at the same cost for ten entries as
   * for a million, and tells every instance. Loads that run are not stored if they bring one of the tags.
   *
   * @returns whether Redis confirmed
   * @throws {TierkitError} `ERR_CACHE_TAGS`
   */
  async invalidateTags(tags: readonly string[], options?: ConfirmOptions): Promise<boolean> {
    return invalidateTags(this.#state, tags, options?.required === true);
  }

  /**
   * Deletes the keys that match, in batches: `*` stands for any characters, `?` for one, and everything else, escaped
   * or not, for itself. It never leaves the scope. It reads the names of all keys in Redis, so it is for operators
   * rather than for requests.
   *
   * @throws {TierkitError} `ERR_PATTERN_INVALID`
   */
  async deleteByPattern(pattern: string, options?: PatternOptions): Promise<PatternDeletion> {
    return removeByPattern(this.#state, pattern, options);
  }

  /**
   * An entry or a family of entries whose key, loader, schema and policy are said once.
   *
   * @throws {TierkitError} `ERR_CACHE_OPTIONS`
   */
  define<S extends StandardSchemaV1, Id = void>(
    definition: SchemaEntryDefinition<Id, S>,
  ): Entry<Id, StandardSchemaV1.InferInput<S>, StandardSchemaV1.InferOutput<S>>;
  define<T, Id = void>(definition: EntryDefinition<Id, T>): Entry<Id, T, T>;
  define(definition: EntryDefinition<unknown, unknown>): Entry<unknown, unknown, unknown> {
    return defineEntry(this, definition, (name, call) => beginUnawaited(this.#state, name, call));
  }

  /**
   * The same scope, of which `stats()` tells apart, under the name, what is done through it. A tier has up to 1,000 names
   * of up to 200 characters; what has another one is counted for the tier alone.
   */
  countedAs(name: string): Scope {
    return new Scope(this.#state.countedAs(name));
  }
}
