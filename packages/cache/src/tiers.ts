import type { Duration } from '@tierkit/core';
import { checkTiersOptions } from './check-options.ts';
import type { Inspection } from './inspection/inspection.ts';
import type { CacheOptions, TierOptions } from './options.ts';
import type { ConfirmOptions } from './scope-options.ts';
import type { Scope } from './scope.ts';
import type { TierStats } from './stats.ts';
import { TieredCache } from './tiered-cache.ts';
import type { TopKey } from './top-keys.ts';
import type { Schedule, ScheduleOptions } from './warming/schedules.ts';
import type { DefineInTier } from './wrappers/define-in-tier.ts';
import type { Wrappers } from './wrappers/wrappers.ts';
import type { WriteBehindOptions } from './write-behind/options.ts';
import type { WriteBehindQueue } from './write-behind/queue.ts';

export interface TiersOptions extends CacheOptions {
  /**
   * Times to live, how stale, slow and failing values are dealt with, and tiers of your own.
   *
   * @default session 5 minutes, project 1 hour, global 24 hours
   */
  readonly tiers?: Readonly<Record<string, TierOptions>>;
  /** Time to live of tiers that state none, built-in ones included. @default that of each tier */
  readonly defaultTtl?: Duration;
}

/** A tier of scopes: what it is called with names the scope. */
export interface Tier {
  (id: string | number): Scope;
  /** Entries of each scope of the tier, whose loaders are told which scope it is. @see Scope.define */
  readonly define: DefineInTier;
}

export interface Tiers extends Wrappers {
  /** What one user session needs, 5 minutes by default. Keys read `session:{id}:key`. */
  readonly session: Tier;
  /** What belongs to one project, 1 hour by default. Keys read `project:{id}:key`. */
  readonly project: Tier;
  /** What everybody shares, 24 hours by default. Keys lie at the root: `model:gpt-4:answer`. */
  readonly global: Scope;
  /**
   * A tier, by name: one of your own, or a built-in one.
   *
   * Options that are stated here hold for all of the tier's scopes from then on, in place of the defaults. What was
   * stated, in `tiers` or by an earlier call, stays as it is: options that differ from it are refused.
   *
   * @throws {TierkitError} `ERR_CACHE_OPTIONS`, `ERR_DURATION_INVALID`
   */
  tier(name: string, options?: TierOptions): Tier;
  /**
   * Ends all entries of all scopes and tiers that have one of the tags, or one that those imply: one round trip, whatever
   * their number. `scope.invalidateTags` does so for one scope.
   *
   * @returns whether Redis confirmed
   * @throws {TierkitError} `ERR_CACHE_TAGS`
   */
  invalidateTags(tags: readonly string[], options?: ConfirmOptions): Promise<boolean>;
  /** Resolves once Redis answers, `durableRedis` too, and changes elsewhere are heard of. @throws {TierkitError} `ERR_REDIS_UNAVAILABLE` */
  ready(timeout?: Duration): Promise<void>;
  /** What this instance counted since it was made, and what it holds now. Nothing is ever reset. */
  stats(): CacheStats;
  /**
   * The keys of all tiers that this instance was asked for most often of late, those first, from a sample of one read in
   * 250. What is above half a percent of the reads is among the 200 that are known.
   *
   * @param options `limit`: how many. @default 20
   */
  topKeys(options?: { readonly limit?: number }): TopKey[];
  /** Names of keys, single entries and changes as they happen, for those who operate the cache. */
  readonly inspection: Inspection;
  /**
   * Runs a task now unless an instance ran it within the interval, and then at every interval: one instance at a time,
   * under a lease in Redis that is renewed while the task runs. If that instance ends, another one takes over. With
   * Redis away nobody runs it. It ends with the cache.
   *
   * @param name the same on all instances
   * @param task should end when its signal is aborted; if it fails it is tried again within half a minute
   * @throws {TierkitError} `ERR_DURATION_INVALID`, `ERR_KEY_INVALID`
   */
  schedule(name: string, options: ScheduleOptions, task: (signal: AbortSignal) => unknown): Schedule;
  /**
   * A queue of writes that are acknowledged once Redis has them, and reach a sink in batches: of each key the latest, by
   * workers in every process that makes the queue. `scope.writeBehind` and `scope.deleteBehind` put them in.
   *
   * @param name the same in all processes
   * @throws {TierkitError} `ERR_CACHE_OPTIONS`, also when this instance has a queue of that name
   */
  writeBehind<T = unknown>(name: string, options: WriteBehindOptions<T>): WriteBehindQueue;
  /**
   * Ends connections and timers, in about a second at the most, and never rejects. It may be called again. Write-behind
   * queues with something to flush are given their `drainTimeout` before that.
   */
  close(): Promise<void>;
}

export interface CacheStats {
  readonly backend: 'redis' | 'memory' | 'null';
  /** Whether changes on other instances are heard of, so that the in-process level answers. */
  readonly coherent: boolean;
  readonly l1: { readonly entries: number; readonly bytes: number };
  /** Scopes with changes that Redis did not confirm yet; a tier with too many of them counts as one. */
  readonly unconfirmedScopes: number;
  readonly tiers: Readonly<Record<string, TierStats>>;
}

/** Session, project and global tiers on one backend, with an in-process level kept coherent across instances. */
export function createTiers(options: TiersOptions): Tiers {
  checkTiersOptions(options);
  return openTiers(options);
}

/** As {@link createTiers}, of options whose names were checked. */
export function openTiers(options: TiersOptions): Tiers {
  return new TieredCache(options);
}
