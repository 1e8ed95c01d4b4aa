import { decodeKey, encodeKey, type Frozen, type Key } from '@tierkit/core';
import { TOUCH_MS, type Level1, type Level1Entry } from './level1/level1.ts';
import { loadBatch, loadEach, type LoadBatch } from './loads/batch-load.ts';
import type { LoadedType, Loader, LoaderContext } from './loads/loader-context.ts';
import { load } from './loads/loads.ts';
import { hitLevel1 } from './reads/counted-reads.ts';
import { existingNames, exists, remainingMs } from './reads/existence.ts';
import { handOut } from './reads/found.ts';
import { decodeEntry, readLevel1 } from './reads/level1-reads.ts';
import { read, readBothLevels } from './reads/reads.ts';
import { loadPlan, type LoadOptions } from './scope-options.ts';
import type { LoadedValue, ScopeState } from './scope-state.ts';

/** What a scope is asked for: values that are there, and values that are loaded where they are not. */
export class ScopeReads {
  readonly #state: ScopeState;
  readonly #plain: ReadonlyMap<string, Level1Entry>;
  readonly #level1: Level1 | undefined;

  /** @internal */
  constructor(state: ScopeState) {
    this.#state = state;
    this.#plain = state.level1.plain;
    this.#level1 = state.level1.level;
  }

  /** The value, or undefined for a miss. One round trip at the most. @throws {TierkitError} `ERR_KEY_INVALID` */
  get<T = unknown>(key: Key, options?: { readonly copy?: false }): Promise<Frozen<T> | undefined>;
  /** A private copy of the value, which the caller may change. */
  get<T = unknown>(key: Key, options: { readonly copy: true }): Promise<T | undefined>;
  get(key: Key, options?: { readonly copy?: boolean }): Promise<unknown> {
    return (options === undefined ? this.#hit(key) : undefined) ?? this.#read(key, options?.copy === true);
  }

  /** What the in-process level holds, at once and without asking Redis; undefined also when it may be out of date. */
  peek<T = unknown>(key: Key): Frozen<T> | undefined {
    const found = readLevel1(this.#state, encodeKey(key), this.#state.engine.clock.monotonic());
    return found && (handOut(found, false) as Frozen<T>);
  }

  /**
   * The value, loaded and stored on a miss. Concurrent callers share one load and its failure, across processes as well.
   * A loaded value that cannot be stored is returned as it is; undefined is not stored, `ctx.absent()` is.
   *
   * @throws The loader's own error, which is remembered for a moment: until `failureBackoff` is over, nobody loads again.
   * @throws {TierkitError} `ERR_CACHE_LOAD_TIMEOUT`: the loader took longer than `hardTimeout`;
   *   `ERR_CACHE_LOAD_FAILED`: it failed in another process a moment ago.
   */
  getOrSet<T, Stale = unknown>(
    key: Key,
    loader: (context: LoaderContext<Stale>) => T | Promise<T>,
    options?: LoadOptions,
  ): Promise<LoadedType<T>> {
    return (this.#hit(key) ?? this.#load(key, loader, options)) as Promise<LoadedType<T>>;
  }

  /** The values of several keys, in order, undefined for a miss. One round trip for what the in-process level lacks. */
  async getMany<T = unknown>(keys: readonly Key[]): Promise<(Frozen<T> | undefined)[]> {
    const found = await readBothLevels(this.#state, keys.map(encodeKey));
    return found.map((one) => one && (handOut(one, false) as Frozen<T>));
  }

  /**
   * The values of several keys, in order; what is missing is loaded in one call and stored. A key that another caller or
   * process loads already is waited for, not loaded again.
   *
   * @param loader gets the missing keys as they were given, each once, and answers a list in their order or a Map by key:
   *   an Error for a key that failed, undefined for one that does not exist, which is kept if `negativeTtl` is given
   * @returns an Error for each key whose load failed; a loader that rejects fails every key that it was asked for
   */
  async getOrSetMany<T, K extends Key = Key>(
    keys: readonly K[],
    loader: LoadBatch<K, T>,
    options?: LoadOptions,
  ): Promise<(Frozen<T> | Error | undefined)[]> {
    const names = keys.map(encodeKey);
    const distinct = new Map<string, K>();
    for (const [index, name] of names.entries()) if (!distinct.has(name)) distinct.set(name, keys[index] as K);
    const values = await loadBatch(
      this.#state,
      distinct,
      loader,
      loadPlan(this.#state, options),
      options?.negativeTtl !== undefined,
    );
    return names.map((name) => values.get(name) as Frozen<T> | Error | undefined);
  }

  /**
   * As `getOrSetMany` with a loader a key: how each ended, in order.
   *
   * @internal
   */
  async getOrSetEach(
    keys: readonly Key[],
    loader: (index: number, context: LoaderContext) => unknown,
    options?: LoadOptions,
  ): Promise<PromiseSettledResult<unknown>[]> {
    const names = keys.map(encodeKey);
    const distinct = new Map<string, number>();
    for (const [index, name] of names.entries()) if (!distinct.has(name)) distinct.set(name, index);
    const values = await loadEach(this.#state, distinct, loader, loadPlan(this.#state, options));
    return Promise.allSettled(names.map(async (name) => values.get(name)));
  }

  /** Whether the key exists; false as well when Redis cannot be asked and the in-process level does not know. */
  async has(key: Key): Promise<boolean> {
    return exists(this.#state, encodeKey(key));
  }

  /** Milliseconds until the key expires, by Redis's clock; undefined when it does not exist or Redis is away. */
  async ttl(key: Key): Promise<number | undefined> {
    return remainingMs(this.#state, encodeKey(key));
  }

  /** The names of existing keys that match, in batches and in no order. @throws {TierkitError} `ERR_PATTERN_INVALID` */
  async *keys(pattern = '*'): AsyncGenerator<Key, void, undefined> {
    for await (const name of existingNames(this.#state, pattern)) yield decodeKey(name);
  }

  /** The hot path: one lookup, one clock read, no allocation. Names with an escape take the longer way. */
  #hit(key: Key): Promise<unknown> | undefined {
    const entry = this.#plain.get(key as string);
    if (entry === undefined) return undefined;
    const state = this.#state;
    if (entry.stamp !== state.level1.stamp || entry.epoch !== this.#level1?.epoch) return undefined;
    if (entry.tags !== undefined && !entry.tags.current) return undefined;
    const nowMs = state.engine.clock.monotonic();
    if (nowMs >= entry.freshUntilMs) return undefined;
    if (nowMs - entry.touchedAtMs > TOUCH_MS) this.#level1.touch(entry, nowMs);
    const { stats } = state;
    if (++stats.l1Hits >= stats.sampleAt) state.engine.topKeys.sampleHit(stats, state.address, entry.name);
    return entry.promise ?? this.#firstHit(entry);
  }

  #firstHit(entry: Level1Entry): Promise<unknown> {
    const found = decodeEntry(this.#state, entry);
    const promise = Promise.resolve(handOut(found, false));
    if (found.shareable) entry.promise = promise;
    return promise;
  }

  async #read(key: Key, copy: boolean): Promise<unknown> {
    const name = encodeKey(key);
    const found = this.#readEscaped(name) ?? (await read(this.#state, name));
    return found && handOut(found, copy);
  }

  async #load(key: Key, loader: Loader, options: LoadOptions | undefined): Promise<unknown> {
    const name = encodeKey(key);
    const hit = typeof key === 'string' ? undefined : this.#hit(name);
    return hit ?? handOut(await load(this.#state, name, loader, loadPlan(this.#state, options)), false);
  }

  #readEscaped(name: string): LoadedValue | undefined {
    const found = readLevel1(this.#state, name, this.#state.engine.clock.monotonic());
    if (found !== undefined) hitLevel1(this.#state, name);
    return found;
  }
}
