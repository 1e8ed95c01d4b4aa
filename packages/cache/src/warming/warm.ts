import type { Key } from '@tierkit/core';
import type { LoadBatch } from '../loads/batch-load.ts';
import { positiveInteger } from '../options.ts';
import { StoppableSource } from './stoppable-source.ts';
import type { ScopeMethods } from '../scope-methods.ts';
import type { LoadOptions } from '../scope-options.ts';

/** How it is done, and options of `getOrSet` for each key. */
export interface WarmOptions extends LoadOptions {
  /** Entries, or batches, that are under way at a time. @default 8 */
  readonly concurrency?: number;
  /** Once aborted, no further entry is begun, and the source is not waited for. */
  readonly signal?: AbortSignal;
  /** Called after each entry or batch. */
  readonly onProgress?: (progress: WarmProgress) => void;
  /** Called for each key whose load failed. */
  readonly onError?: (key: Key, error: unknown) => void;
}

export interface WarmKeysOptions<K extends Key, T> extends WarmOptions {
  /** Loads a batch of missing keys. @see Scope.getOrSetMany */
  readonly load: LoadBatch<K, T>;
  /** The most keys of a batch. @default 100 */
  readonly batchSize?: number;
}

/** Keys so far, each counted once. */
export interface WarmProgress {
  /** Loaded by this call, and stored unless Redis is away. */
  readonly loaded: number;
  /** In the cache already, or being loaded by somebody else. */
  readonly present: number;
  /** The loader answered undefined. */
  readonly absent: number;
  readonly failed: number;
}

export interface WarmResult extends WarmProgress {
  /** False when the signal or the end of the cache stopped it before the last entry. */
  readonly complete: boolean;
}

export type WarmSource<T> = Iterable<T> | AsyncIterable<T>;

/** What `warm` needs of a scope. */
interface Warmed {
  readonly scope: Pick<ScopeMethods, 'getOrSet' | 'getOrSetMany'>;
  readonly closing: AbortSignal;
}

/** Puts entries into a cache that lacks them: a key with a value, or with a loader that is called if it is missing. */
export function warmEntries(
  { scope, closing }: Warmed,
  entries: WarmSource<readonly [Key, unknown]>,
  options: WarmOptions,
): Promise<WarmResult> {
  const { concurrency, signal, onProgress, onError, ...loadOptions } = options;
  const counts = new Counts(onProgress, onError);
  const items = new StoppableSource(entries, [closing, signal]);
  return run(items, items, concurrency, counts, async ([key, given]) => {
    let called = false;
    const loader = (context: unknown): unknown => {
      called = true;
      return typeof given === 'function' ? (given as (context: unknown) => unknown)(context) : given;
    };
    try {
      const value = await scope.getOrSet(key, loader, loadOptions);
      counts.add(called ? (value === undefined ? 'absent' : 'loaded') : 'present');
    } catch (error) {
      counts.fail(key, error);
    }
    counts.report();
  });
}

/** As `warmEntries`, with one loader for batches of keys. */
export function warmKeys<K extends Key, T>(
  { scope, closing }: Warmed,
  keys: WarmSource<K>,
  options: WarmKeysOptions<K, T>,
): Promise<WarmResult> {
  const { load: given, batchSize, concurrency, signal, onProgress, onError, ...loadOptions } = options;
  const counts = new Counts(onProgress, onError);
  const size = positiveInteger(batchSize, 100, 'batchSize');
  const items = new StoppableSource(keys, [closing, signal]);
  return run(items, inBatches(items, size), concurrency, counts, async (batch) => {
    const asked = new Set<K>();
    const load: LoadBatch<K, T> = (missing) => {
      for (const key of missing) asked.add(key);
      return given(missing);
    };
    try {
      const values = await scope.getOrSetMany<T, K>(batch, load, loadOptions);
      for (const [index, key] of batch.entries()) {
        const value = values[index];
        if (value instanceof Error) counts.fail(key, value);
        else counts.add(value === undefined ? 'absent' : asked.has(key) ? 'loaded' : 'present');
      }
    } catch (error) {
      for (const key of batch) counts.fail(key, error);
    }
    counts.report();
  });
}

class Counts {
  readonly #counts = { loaded: 0, present: 0, absent: 0, failed: 0 };
  readonly #onProgress: WarmOptions['onProgress'];
  readonly #onError: WarmOptions['onError'];

  constructor(onProgress: WarmOptions['onProgress'], onError: WarmOptions['onError']) {
    this.#onProgress = onProgress;
    this.#onError = onError;
  }

  get now(): WarmProgress {
    return { ...this.#counts };
  }

  add(kind: keyof WarmProgress): void {
    this.#counts[kind]++;
  }

  fail(key: Key, error: unknown): void {
    this.#counts.failed++;
    this.#onError?.(key, error);
  }

  report(): void {
    this.#onProgress?.(this.now);
  }
}

/** Takes items no faster than they are worked off. An error of the source or of a callback stops it, and is passed on. */
async function run<T>(
  source: StoppableSource<unknown>,
  items: AsyncIterable<T>,
  concurrency: number | undefined,
  counts: Counts,
  work: (item: T) => Promise<void>,
): Promise<WarmResult> {
  const running = new Set<Promise<void>>();
  const failures: unknown[] = [];
  let complete = true;
  try {
    const most = positiveInteger(concurrency, 8, 'concurrency');
    for await (const item of items) {
      while (running.size >= most) await Promise.race(running);
      complete = !source.stopped;
      if (!complete) break;
      const working: Promise<void> = work(item)
        .catch((error: unknown) => {
          failures.push(error);
          source.stop();
        })
        .finally(() => running.delete(working));
      running.add(working);
    }
  } finally {
    await Promise.all(running);
    source.close();
  }
  if (failures.length > 0) throw failures[0];
  return { ...counts.now, complete: complete && !source.cut };
}

async function* inBatches<T>(source: AsyncIterable<T>, size: number): AsyncGenerator<T[], void, undefined> {
  let batch: T[] = [];
  for await (const item of source) {
    batch.push(item);
    if (batch.length < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
