import {
  combineTelemetry,
  LONGEST_TIMER_MS,
  parseDuration,
  TierkitError,
  type Duration,
  type Telemetry,
} from '@tierkit/core';
import { checkTierOptions } from './check-options.ts';
import { createInspection, type Inspection } from './inspection/inspection.ts';
import { createInstance, type Instance } from './instance.ts';
import { KnownTiers } from './known-tiers.ts';
import { positiveInteger, type TierOptions } from './options.ts';
import { everywhereAddress, rootAddress, scopedAddress, type ScopeAddress } from './scope-address.ts';
import type { ConfirmOptions } from './scope-options.ts';
import { ScopeState } from './scope-state.ts';
import { Scope } from './scope.ts';
import { TierCounts, type TierStats } from './stats.ts';
import { cacheSource, type CacheState } from './telemetry/cache-source.ts';
import { CacheTimers } from './telemetry/cache-timers.ts';
import { writeBehindSource } from './telemetry/write-behind-source.ts';
import type { CacheStats, Tier, Tiers, TiersOptions } from './tiers.ts';
import type { TopKey } from './top-keys.ts';
import { MinuteByMinute } from './usage/hit-history.ts';
import { Schedules, type Schedule, type ScheduleOptions } from './warming/schedules.ts';
import { defineInTier } from './wrappers/define-in-tier.ts';
import { wrappersIn, type Wrappers } from './wrappers/wrappers.ts';
import type { WriteBehindOptions } from './write-behind/options.ts';
import type { WriteBehindQueue } from './write-behind/queue.ts';
import { invalidateTags } from './writes/writes.ts';

/** @see Tiers */
export class TieredCache implements Tiers {
  readonly cached: Wrappers['cached'];
  readonly invalidates: Wrappers['invalidates'];
  readonly repository: Wrappers['repository'];
  readonly global: Scope;
  readonly session: Tier;
  readonly project: Tier;
  readonly inspection: Inspection;
  readonly #instance: Instance;
  readonly #known: KnownTiers;
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
    this.#known = new KnownTiers(options.tiers ?? {}, options.defaultTtl, options.encryption !== undefined);
    this.#telemetry = combineTelemetry(options.telemetry);
    this.#timers = this.#telemetry && new CacheTimers(this.#telemetry, 'everywhere');
    // Before anything is connected, since it may throw.
    const own = cacheSource(() => this.#observed());
    const behind = writeBehindSource(() => this.#instance.writeBehind.list());
    this.#stopObserving = this.#telemetry?.observe({
      metrics: [...own.metrics, ...behind.metrics],
      read(observe) {
        own.read(observe);
        behind.read(observe);
      },
    });
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
      tierNames: () => this.#known.names,
      stateOf: (address) => this.#inspected(address),
    });
  }

  tier(name: string, options?: TierOptions): Tier {
    if (name === 'global') throw invalid('the global tier has no scopes: use .global');
    if (options === undefined) this.#known.use(name);
    else {
      checkTierOptions(name, options);
      this.#known.state(name, options);
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
    this.#history.close();
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    // What closing still flushes is counted too.
    await this.#instance.writeBehind.close().finally(() => this.#stopObserving?.());
    await this.#instance.close();
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
      return new ScopeState(engine, address, this.#known.usedPolicyOf(address.tier), this.#countsOf(address.tier));
    });
  }

  /** A tier that nobody here uses is looked at without being learned. */
  #inspected(address: ScopeAddress): ScopeState {
    if (this.#known.has(address.tier)) return this.#state(address);
    const policy = this.#known.policyOf(address.tier);
    return new ScopeState(this.#instance.engine, address, policy, new TierCounts(address.tier, undefined));
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

function invalid(message: string): TierkitError {
  return new TierkitError('ERR_CACHE_OPTIONS', message, { details: { option: 'tier' } });
}
