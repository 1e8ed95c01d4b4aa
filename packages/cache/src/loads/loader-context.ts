import { parseDuration, TierkitError, type Duration, type Frozen } from '@tierkit/core';
import type { Flight } from './flight.ts';
import { handOut } from '../reads/found.ts';
import { entryTags } from '../tags/tag-names.ts';

/** What a loader is given. */
export interface LoaderContext<Stale = unknown> {
  /** Aborted when the loader is given up: after `hardTimeout`, or in the background when the cache is closed. */
  readonly signal: AbortSignal;
  /** The value that is to be replaced, if there is one: stale, or about to be. */
  readonly stale: Frozen<Stale> | undefined;
  /** A loaded value with a time to live or tags of its own. */
  value<T>(value: T, options?: LoadedOptions): LoadedWith<T>;
  /** There is no such thing, which is kept for `negativeTtl`: `get` and `getOrSet` answer undefined without a load. */
  absent(options?: LoadedOptions): LoadedAbsent;
  /**
   * The stale value is still right, and fresh from now on.
   *
   * @throws {TierkitError} `ERR_CACHE_NOTHING_STALE`: there is none
   */
  notModified(options?: LoadedOptions): LoadedUnchanged;
}

export interface LoadedOptions {
  /** Milliseconds or a string such as `'5m'`; with 0 or `'0s'` it is not stored. @default the call's */
  readonly ttl?: Duration;
  /** Tags of the entry, beside those of the call. */
  readonly tags?: readonly string[];
}

declare const loaded: unique symbol;

/** Made by `ctx.value`. */
export interface LoadedWith<T> {
  readonly [loaded]: 'value';
  readonly value: T;
}

/** Made by `ctx.absent`. */
export interface LoadedAbsent {
  readonly [loaded]: 'absent';
}

/** Made by `ctx.notModified`. */
export interface LoadedUnchanged {
  readonly [loaded]: 'unchanged';
}

/** What `getOrSet` resolves to for what a loader returns. */
export type LoadedType<R> =
  R extends LoadedWith<infer T>
    ? Frozen<T>
    : R extends LoadedAbsent
      ? undefined
      : R extends LoadedUnchanged
        ? never
        : Frozen<R>;

// Each caller says for itself what its stale value is, and nothing checks it.
// oxlint-disable-next-line typescript/no-explicit-any
export type Loader = (context: LoaderContext<any>) => unknown;

/** What a loader made of it, for whoever stores it. */
export class LoadOutcome {
  readonly kind: 'value' | 'absent' | 'unchanged';
  readonly value: unknown;
  /** 0 for one that is not to be stored. */
  readonly ttlMs: number | undefined;
  /** As they are stored. */
  readonly tags: readonly string[];

  constructor(kind: LoadOutcome['kind'], value: unknown, options: LoadedOptions = {}) {
    this.kind = kind;
    this.value = value;
    this.ttlMs = options.ttl === undefined ? undefined : ttlOrZero(options.ttl);
    this.tags = entryTags(options.tags);
  }

  /** Of whatever a loader returned. */
  static of(returned: unknown): LoadOutcome {
    return returned instanceof LoadOutcome ? returned : new LoadOutcome('value', returned);
  }
}

/** Loaders see only what kind of thing they made. */
const made = (outcome: LoadOutcome): never => outcome as never;

export function loaderContext(flight: Flight): LoaderContext {
  const { stale } = flight;
  let own: unknown;
  return {
    get signal() {
      return flight.signal;
    },
    get stale() {
      // Not the cache's own, which others are given: what it is made of may change.
      return (own ??= stale && handOut(stale, false));
    },
    value: (value, options) => made(new LoadOutcome('value', value, options)),
    absent: (options) => made(new LoadOutcome('absent', undefined, options)),
    notModified: (options) => {
      if (stale !== undefined) return made(new LoadOutcome('unchanged', undefined, options));
      throw new TierkitError('ERR_CACHE_NOTHING_STALE', 'there is no stale value that could be unchanged');
    },
  };
}

/** A lifetime that another system gives may be nothing. */
function ttlOrZero(ttl: Duration): number {
  return ttl === 0 || /^0 ?[a-z]+$/.test(String(ttl)) ? 0 : parseDuration(ttl, 'ttl');
}
