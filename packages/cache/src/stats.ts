import type { Telemetry } from '@tierkit/core';
import { CacheTimers } from './telemetry/cache-timers.ts';
import { sampleStep } from './top-keys.ts';

/** Plain counters since the cache was made; they only grow. A read counts as one of the first four. */
export interface CacheCounters {
  /** Reads that the in-process level answered. */
  l1Hits: number;
  /** Reads that Redis, or the memory store, answered. */
  l2Hits: number;
  /** Reads that neither level could answer with something fresh, those that ended in an error included. */
  misses: number;
  /** Reads that waited for what another caller of this process was loading already. */
  shared: number;
  /** Misses and shared reads that were answered with something stale. */
  staleServed: number;
  /** Loaders run; a batch loader counts for each key that it is asked for. */
  loads: number;
  /** Loads that failed or took longer than `hardTimeout`. */
  loadErrors: number;
  /** Milliseconds from the beginning of loads to their end or `hardTimeout`; those of a batch count for each of its keys. */
  loadMs: number;
  /** Entries stored by a `set`, `setMany` or `writeThrough` that Redis confirmed. */
  writes: number;
  /** Keys deleted, and entries that a pattern deleted, where Redis confirmed. */
  deletes: number;
  /** Commands that Redis did not confirm. */
  errors: number;
  /** Entries whose bytes could not be decoded; they were removed. */
  corrupt: number;
  /** Bytes of values that came from Redis, as they lie there: compressed and encrypted. */
  bytesRead: number;
  /** Bytes of values that Redis took, as they lie there. */
  bytesWritten: number;
}

/** Counters while they count. */
export interface LiveCounters extends CacheCounters {
  /** Loaders that run now. */
  loading: number;
  /** When there are so many L1 hits, the next one is looked at for the table of top keys. */
  sampleAt: number;
}

/** Counters, and what follows from them. */
export interface CacheFigures extends Readonly<CacheCounters> {
  /** Reads that either level answered among all reads, from 0 to 1; 0 before the first. */
  readonly hitRate: number;
}

export interface TierStats extends CacheFigures {
  /** Loaders that run now, those of a batch once for each of its keys. */
  readonly loading: number;
  /** What the in-process level holds of the tier now, in entries and in bytes as its bounds count them. */
  readonly l1: { readonly entries: number; readonly bytes: number };
  /** What of the above was done under a name: by definitions, content caches, repositories and `countedAs`. */
  readonly names: Readonly<Record<string, CacheFigures>>;
}

/** More names than that, or longer ones, are counted for their tier alone. */
const MAX_NAMES = 1_000;
const MAX_NAME_LENGTH = 200;
/** Names that metrics tell apart: those that were used first. */
const MAX_METRIC_NAMES = 100;

/** Where something is counted, and what times it, if somebody wants to know. */
export interface Counted {
  readonly stats: LiveCounters;
  readonly timers: CacheTimers | undefined;
}

/** The counters of one tier. What is done under a name counts there alone, and is added when somebody asks. */
export class TierCounts {
  readonly unnamed: Counted;
  readonly level1: { entries: number; bytes: number } = { entries: 0, bytes: 0 };
  readonly #names = new Map<string, Counted>();
  readonly #tier: string;
  readonly #telemetry: Telemetry | undefined;
  readonly #everyHit: boolean;

  /** @param everyHit looks at every L1 hit, rather than at one in many */
  constructor(tier: string, telemetry: Telemetry | undefined, everyHit = false) {
    this.#tier = tier;
    this.#telemetry = telemetry;
    this.#everyHit = everyHit;
    this.unnamed = { stats: newCounters(everyHit), timers: telemetry && new CacheTimers(telemetry, tier) };
  }

  named(name: string): Counted {
    const known = this.#names.get(name);
    if (known !== undefined) return known;
    if (this.#names.size >= MAX_NAMES || name.length > MAX_NAME_LENGTH) return this.unnamed;
    const apart = this.#telemetry !== undefined && this.#names.size < MAX_METRIC_NAMES;
    const timers = apart ? new CacheTimers(this.#telemetry, this.#tier, name) : this.unnamed.timers;
    const made = { stats: newCounters(this.#everyHit), timers };
    this.#names.set(name, made);
    return made;
  }

  /** The counters by name as metrics have them, those without one under the empty name; several may share it. */
  *series(): Generator<readonly [string, LiveCounters]> {
    yield ['', this.unnamed.stats];
    let index = 0;
    for (const [name, { stats }] of this.#names) yield [index++ < MAX_METRIC_NAMES ? name : '', stats];
  }

  snapshot(): TierStats {
    const total = { ...this.unnamed.stats };
    for (const { stats } of this.#names.values()) {
      for (const name of Object.keys(total) as (keyof LiveCounters)[]) total[name] += stats[name];
    }
    const names = Object.fromEntries([...this.#names].map(([name, { stats }]) => [name, figures(stats)]));
    return { ...figures(total), loading: total.loading, l1: { ...this.level1 }, names };
  }
}

function newCounters(everyHit: boolean): LiveCounters {
  return {
    l1Hits: 0,
    l2Hits: 0,
    misses: 0,
    shared: 0,
    staleServed: 0,
    loads: 0,
    loadErrors: 0,
    loadMs: 0,
    writes: 0,
    deletes: 0,
    errors: 0,
    corrupt: 0,
    bytesRead: 0,
    bytesWritten: 0,
    loading: 0,
    sampleAt: everyHit ? 0 : sampleStep(),
  };
}

function figures(live: LiveCounters): CacheFigures {
  const { sampleAt: _notCounted, loading: _now, ...counters } = live;
  const { l1Hits, l2Hits, misses, shared } = counters;
  const hits = l1Hits + l2Hits;
  return { ...counters, hitRate: hits === 0 ? 0 : hits / (hits + misses + shared) };
}
