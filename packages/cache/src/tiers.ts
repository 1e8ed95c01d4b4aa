import { parseDuration, TierkitError, type Duration } from '@tierkit/core';
import { defineInTier, type DefineInTier } from './define-in-tier.ts';
import { createInstance, type Instance } from './instance.ts';
import type { CacheOptions, TierOptions } from './options.ts';
import { everywhereAddress, rootAddress, scopedAddress, type ScopeAddress } from './scope-address.ts';
import { ScopeState } from './scope-state.ts';
import { Scope, type ConfirmOptions } from './scope.ts';
import { Schedules, type Schedule, type ScheduleOptions } from './schedules.ts';
import { differingOption, tierPolicy, type TierPolicy } from './tier-policy.ts';
import { newTierStats, type TierStats } from './stats.ts';
import { wrappersIn, type Wrappers } from './wrappers.ts';
import { invalidateTags } from './writes.ts';

export interface TiersOptions extends CacheOptions {
  /**
   * Times to live, how stale, slow and failing values are dealt with, and tiers of your own.
   *
   * @default session 5 minutes, project 1 hour, global 24 hours
   */
  readonly tiers?: Readonly<Record<string, TierOptions>>;
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
  /** A tier of your own. Options given here for a tier that is known already must agree with what it has. */
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
  stats(): CacheStats;
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
  /** Ends connections and timers, in about a second at the most, and never rejects. It may be called again. */
  close(): Promise<void>;
}

export interface CacheStats {
  readonly backend: 'redis' | 'memory' | 'null';
  /** Whether changes on other instances are heard of, so that the in-process level answers. */
  readonly coherent: boolean;
  readonly l1: { readonly entries: number; readonly bytes: number };
  /** Scopes with changes that Redis did not confirm yet; a tier with too many of them counts as one. */
  readonly unconfirmedScopes: number;
  readonly tiers: Readonly<Record<string, Readonly<TierStats>>>;
}

const DEFAULT_TTLS: Readonly<Record<string, number>> = { session: 300_000, project: 3_600_000, global: 86_400_000 };

/** Session, project and global tiers on one backend, with an in-process level kept coherent across instances. */
export function createTiers(options: TiersOptions): Tiers {
  return new TieredCache(options);
}

class TieredCache implements Tiers {
  readonly cached: Wrappers['cached'];
  readonly invalidates: Wrappers['invalidates'];
  readonly repository: Wrappers['repository'];
  readonly global: Scope;
  readonly session: Tier;
  readonly project: Tier;
  readonly #instance: Instance;
  readonly #policies = new Map<string, TierPolicy>();
  readonly #hasKeys: boolean;
  readonly #stats = new Map<string, TierStats>();
  readonly #schedules: Schedules;
  readonly #handles = new WeakMap<ScopeState, Scope>();
  #closing: Promise<void> | undefined;

  constructor(options: TiersOptions) {
    this.#hasKeys = options.encryption !== undefined;
    for (const [name, ttl] of Object.entries(DEFAULT_TTLS)) this.#policies.set(name, this.#policy(name, { ttl }));
    for (const [name, tier] of Object.entries(options.tiers ?? {})) {
      this.#policies.set(tierName(name), this.#policy(name, tier));
    }
    this.#instance = createInstance(options);
    this.#schedules = new Schedules(this.#instance.engine, this.#instance.prefix);
    this.global = this.#open(rootAddress(this.#instance.prefix, 'global'));
    const wrappers = wrappersIn(this.global);
    this.cached = wrappers.cached;
    this.invalidates = wrappers.invalidates;
    this.repository = wrappers.repository;
    this.session = this.tier('session');
    this.project = this.tier('project');
  }

  tier(name: string, options?: TierOptions): Tier {
    const known = this.#policies.get(tierName(name));
    if (name === 'global') throw invalid('tier', 'the global tier has no scopes: use .global');
    if (options === undefined && known === undefined) throw invalid('tier', `the tier "${name}" needs a ttl`);
    if (options !== undefined) {
      const policy = this.#policy(name, options);
      const differing = known && differingOption(known, policy);
      if (differing !== undefined) throw invalid('tier', `the tier "${name}" has another ${differing} already`);
      this.#policies.set(name, policy);
    }
    const scopeOf = (id: string | number): Scope => this.#open(scopedAddress(this.#instance.prefix, name, id));
    return Object.assign(scopeOf, { define: defineInTier(scopeOf) });
  }

  async invalidateTags(tags: readonly string[], options?: ConfirmOptions): Promise<boolean> {
    const { engine, prefix } = this.#instance;
    const everywhere = { engine, address: everywhereAddress(prefix), stats: newTierStats() };
    return invalidateTags(everywhere, tags, options?.required === true);
  }

  ready(timeout: Duration = 5_000): Promise<void> {
    return this.#instance.ready(parseDuration(timeout, 'timeout'));
  }

  stats(): CacheStats {
    const { engine, backend, feed } = this.#instance;
    return {
      backend,
      coherent: feed?.live ?? true,
      l1: { entries: engine.level1?.entries ?? 0, bytes: engine.level1?.bytes ?? 0 },
      unconfirmedScopes: engine.unconfirmed.size,
      tiers: Object.fromEntries([...this.#stats].map(([name, stats]) => [name, { ...stats }])),
    };
  }

  schedule(name: string, options: ScheduleOptions, task: (signal: AbortSignal) => unknown): Schedule {
    return this.#schedules.add(name, options, task);
  }

  close(): Promise<void> {
    this.#schedules.close();
    this.#closing ??= this.#instance.close();
    return this.#closing;
  }

  #open(address: ScopeAddress): Scope {
    const { engine, scopes } = this.#instance;
    const state = scopes.obtain(address.generationKey, () => {
      const policy = this.#policies.get(address.tier) ?? this.#policy(address.tier, { ttl: 1 });
      return new ScopeState(engine, address, policy, this.#statsOf(address.tier));
    });
    let handle = this.#handles.get(state);
    if (handle === undefined) {
      handle = new Scope(state);
      this.#handles.set(state, handle);
    }
    return handle;
  }

  #policy(name: string, options: TierOptions): TierPolicy {
    return tierPolicy(name, options, this.#hasKeys);
  }

  #statsOf(tier: string): TierStats {
    let stats = this.#stats.get(tier);
    if (stats === undefined) {
      stats = newTierStats();
      this.#stats.set(tier, stats);
    }
    return stats;
  }
}

function tierName(name: string): string {
  if (/^[a-z][a-z0-9_-]{0,63}$/i.test(name)) return name;
  throw invalid('tiers', `"${name}" is no name for a tier: letters, digits, _ and - after a letter`);
}

function invalid(option: string, message: string): TierkitError {
  return new TierkitError('ERR_CACHE_OPTIONS', message, { details: { option } });
}
