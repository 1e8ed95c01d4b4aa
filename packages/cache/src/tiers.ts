import {
  combineTelemetry,
  LONGEST_TIMER_MS,
  parseDuration,
  TierkitError,
  type Duration,
  type Telemetry,
} from '@tierkit/core';
import { checkTierOptions, checkTiersOptions } from './check-options.ts';
import { defineInTier, type DefineInTier } from './wrappers/define-in-tier.ts';
import { createInspection, type Inspection } from './inspection/inspection.ts';
import { createInstance, type Instance } from './instance.ts';
import { positiveInteger, type CacheOptions, type TierOptions } from './options.ts';
import { everywhereAddress, rootAddress, scopedAddress, type ScopeAddress } from './scope-address.ts';
import { ScopeState } from './scope-state.ts';
import { Scope, type ConfirmOptions } from './scope.ts';
import { Schedules, type Schedule, type ScheduleOptions } from './warming/schedules.ts';
import { differingOption, tierPolicy, type LoadPlan } from './tier-policy.ts';
import { TierCounts, type TierStats } from './stats.ts';
import { cacheSource, type CacheState } from './telemetry/cache-source.ts';
import { CacheTimers } from './telemetry/cache-timers.ts';
import { MinuteByMinute } from './usage/hit-history.ts';
import type { TopKey } from './top-keys.ts';
import type { WriteBehindOptions } from './write-behind/options.ts';
import type { WriteBehindQueue } from './write-behind/queue.ts';
import { wrappersIn, type Wrappers } from './wrappers/wrappers.ts';
import { invalidateTags } from './writes/writes.ts';

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
  /** Resolves once Redis answers and changes elsewhere are heard of. @throws {TierkitError} `ERR_REDIS_UNAVAILABLE` */
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

const DEFAULT_TTLS: Readonly<Record<string, number>> = { session: 300_000, project: 3_600_000, global: 86_400_000 };

/** Session, project and global tiers on one backend, with an in-process level kept coherent across instances. */
export function createTiers(options: TiersOptions): Tiers {
  checkTiersOptions(options);
  return openTiers(options);
}

/** As {@link createTiers}, of options whose names were checked. */
export function openTiers(options: TiersOptions): Tiers {
  return new TieredCache(options);
}

/** A tier's policy, which its scopes share. */
interface KnownTier {
  readonly policy: LoadPlan;
  /** Whether somebody asked for it; a default gives way to the first who does. */
  stated: boolean;
}

class TieredCache implements Tiers {
  readonly cached: Wrappers['cached'];
  readonly invalidates: Wrappers['invalidates'];
  readonly repository: Wrappers['repository'];
  readonly global: Scope;
  readonly session: Tier;
  readonly project: Tier;
  readonly inspection: Inspection;
  readonly #instance: Instance;
  readonly #known = new Map<string, KnownTier>();
  readonly #defaultTtl: Duration | undefined;
  readonly #hasKeys: boolean;
  readonly #counts = new Map<string, TierCounts>();
  readonly #history: MinuteByMinute;
  readonly #schedules: Schedules;
  readonly #telemetry: Telemetry | undefined;
  /** Of what concerns all tiers. */
  readonly #timers: CacheTimers | undefined;
  readonly #stopObserving: (() => void) | undefined;
  readonly #handles = new WeakMap<ScopeState, Scope>();
  #closing: Promise<void> | undefined;

  constructor(options: TiersOptions) {
    this.#hasKeys = options.encryption !== undefined;
    this.#defaultTtl = options.defaultTtl;
    if (options.defaultTtl !== undefined) parseDuration(options.defaultTtl, 'defaultTtl');
    for (const [name, ttl] of Object.entries(DEFAULT_TTLS))
      this.#learn(name, { ttl: options.defaultTtl ?? ttl }, false);
    for (const [name, tier] of Object.entries(options.tiers ?? {})) this.#learn(tierName(name), tier, true);
    this.#telemetry = combineTelemetry(options.telemetry);
    this.#timers = this.#telemetry && new CacheTimers(this.#telemetry, 'everywhere');
    // Before anything is connected, since it may throw.
    this.#stopObserving = this.#telemetry?.observe(cacheSource(() => this.#observed()));
    this.#instance = this.#create(options);
    this.#schedules = new Schedules(this.#instance.engine, this.#instance.prefix);
    this.global = this.#open(rootAddress(this.#instance.prefix, 'global'));
    const wrappers = wrappersIn(this.global);
    this.cached = wrappers.cached;
    this.invalidates = wrappers.invalidates;
    this.repository = wrappers.repository;
    this.session = this.tier('session');
    this.project = this.tier('project');
    const { engine } = this.#instance;
    this.#history = new MinuteByMinute(
      engine.clock,
      () => this.#tierStats(),
      (part) => engine.usage.fade(part),
    );
    this.inspection = createInspection(this.#instance, {
      history: () => this.#history.read(),
      tierNames: () => [...this.#known.keys()],
      stateOf: (address) => this.#inspected(address),
    });
  }

  tier(name: string, options?: TierOptions): Tier {
    const known = this.#known.get(tierName(name));
    if (name === 'global') throw invalid('tier', 'the global tier has no scopes: use .global');
    if (options !== undefined) {
      checkTierOptions(name, options);
      this.#learn(name, options, true);
    } else if (known === undefined) {
      if (this.#defaultTtl === undefined) throw invalid('tier', `the tier "${name}" needs a ttl`);
      this.#learn(name, { ttl: this.#defaultTtl }, false);
    }
    const scopeOf = (id: string | number): Scope => this.#open(scopedAddress(this.#instance.prefix, name, id));
    return Object.assign(scopeOf, { define: defineInTier(scopeOf) });
  }

  async invalidateTags(tags: readonly string[], options?: ConfirmOptions): Promise<boolean> {
    const { engine, prefix } = this.#instance;
    const everywhere = {
      engine,
      address: everywhereAddress(prefix),
      stats: this.#countsOf('global').unnamed.stats,
      timers: this.#timers,
    };
    return invalidateTags(everywhere, tags, options?.required === true);
  }

  ready(timeout: Duration = 5_000): Promise<void> {
    return this.#instance.ready(parseDuration(timeout, 'timeout', { maxMs: LONGEST_TIMER_MS }));
  }

  stats(): CacheStats {
    const { engine, backend, feed } = this.#instance;
    return {
      backend,
      coherent: feed?.live ?? true,
      l1: { entries: engine.level1?.entries ?? 0, bytes: engine.level1?.bytes ?? 0 },
      unconfirmedScopes: engine.unconfirmed.size,
      tiers: this.#tierStats(),
    };
  }

  #tierStats(): Record<string, TierStats> {
    return Object.fromEntries([...this.#counts].map(([name, counts]) => [name, counts.snapshot()]));
  }

  topKeys({ limit }: { readonly limit?: number } = {}): TopKey[] {
    return this.#instance.engine.topKeys.top(positiveInteger(limit, 20, 'limit'));
  }

  schedule(name: string, options: ScheduleOptions, task: (signal: AbortSignal) => unknown): Schedule {
    return this.#schedules.add(name, options, task);
  }

  writeBehind<T = unknown>(name: string, options: WriteBehindOptions<T>): WriteBehindQueue {
    return this.#instance.writeBehind.create(name, options);
  }

  close(): Promise<void> {
    this.#schedules.close();
    this.#stopObserving?.();
    this.#history.close();
    this.#closing ??= this.#instance.writeBehind.close().then(() => this.#instance.close());
    return this.#closing;
  }

  #create(options: TiersOptions): Instance {
    try {
      return createInstance(options);
    } catch (error) {
      this.#stopObserving?.();
      throw error;
    }
  }

  #observed(): CacheState {
    const { engine, feed } = this.#instance;
    return { tiers: this.#counts, coherent: feed?.live ?? true, unconfirmedScopes: engine.unconfirmed.size };
  }

  #open(address: ScopeAddress): Scope {
    const state = this.#state(address);
    let handle = this.#handles.get(state);
    if (handle === undefined) {
      handle = new Scope(state);
      this.#handles.set(state, handle);
    }
    return handle;
  }

  #state(address: ScopeAddress): ScopeState {
    const { engine, scopes } = this.#instance;
    return scopes.obtain(address.generationKey, () => {
      const known = this.#known.get(address.tier) ?? this.#learn(address.tier, { ttl: 1 }, false);
      return new ScopeState(engine, address, known.policy, this.#countsOf(address.tier));
    });
  }

  /** A tier that nobody here uses is looked at without being learned. */
  #inspected(address: ScopeAddress): ScopeState {
    if (this.#known.has(address.tier)) return this.#state(address);
    const policy = { ...tierPolicy(address.tier, { ttl: 1 }, this.#hasKeys), tags: [] };
    return new ScopeState(this.#instance.engine, address, policy, new TierCounts(address.tier, undefined));
  }

  #learn(name: string, options: TierOptions, stated: boolean): KnownTier {
    const policy = { ...tierPolicy(name, options, this.#hasKeys), tags: [] };
    const known = this.#known.get(name);
    if (known === undefined) {
      const made = { policy, stated };
      this.#known.set(name, made);
      return made;
    }
    const differing = known.stated ? differingOption(known.policy, policy) : undefined;
    if (differing !== undefined) throw invalid('tier', `the tier "${name}" has another ${differing} already`);
    if (!known.stated) Object.assign(known.policy, policy);
    known.stated ||= stated;
    return known;
  }

  #countsOf(tier: string): TierCounts {
    let counts = this.#counts.get(tier);
    if (counts === undefined) {
      counts = new TierCounts(tier, this.#telemetry, this.#instance.engine.accessLog !== undefined);
      this.#counts.set(tier, counts);
    }
    return counts;
  }
}

function tierName(name: string): string {
  if (/^[a-z][a-z0-9_-]{0,63}$/i.test(name)) return name;
  throw invalid('tiers', `"${name}" is no name for a tier: letters, digits, _ and - after a letter`);
}

function invalid(option: string, message: string): TierkitError {
  return new TierkitError('ERR_CACHE_OPTIONS', message, { details: { option } });
}
