import type { Sealed } from '@tierkit/core';
import type { Engine } from './engine.ts';
import { Flights } from './loads/flights.ts';
import { LoadFailures } from './loads/load-failures.ts';
import type { ScopeAddress } from './scope-address.ts';
import { ScopeLevel1 } from './level1/scope-level1.ts';
import { Level1Tags } from './level1/level1-tags.ts';
import type { StampedTags } from './tags/stamped-tags.ts';
import type { TagTable } from './tags/tag-table.ts';
import type { LiveCounters, TierCounts } from './stats.ts';
import type { CacheTimers } from './telemetry/cache-timers.ts';
import type { LoadPlan } from './tier-policy.ts';
import { Waiters } from './loads/waiters.ts';

/** A value as callers may have it: `shareable` as it is, otherwise a copy each. */
export interface LoadedValue {
  readonly value: unknown;
  readonly shareable: boolean;
  /** Nobody else has it: it needs neither freezing nor copying. */
  readonly own?: boolean;
}

interface Named {
  readonly whole: ScopeState;
  readonly name: string;
}

/** Everything that one instance knows about one scope. There is one at most for each scope, apart from how it is counted. */
export class ScopeState {
  readonly address: ScopeAddress;
  /** The tier's, which is also the plan of a load that says nothing else. */
  readonly policy: LoadPlan;
  readonly engine: Engine;
  readonly stats: LiveCounters;
  readonly timers: CacheTimers | undefined;
  readonly level1: ScopeLevel1;
  readonly flights: Flights;
  /** Held here, so that it lasts as long as the scope is in use. */
  readonly #tags: TagTable;
  readonly waiters: Waiters;
  readonly failures: LoadFailures;
  readonly #counts: TierCounts;
  /** Where this one only counts apart: what the registry knows must last as long. */
  readonly #whole: ScopeState | undefined;

  constructor(engine: Engine, address: ScopeAddress, policy: LoadPlan, counts: TierCounts, named?: Named) {
    const whole = named?.whole;
    this.engine = engine;
    this.address = address;
    this.policy = policy;
    ({ stats: this.stats, timers: this.timers } = named === undefined ? counts.unnamed : counts.named(named.name));
    this.level1 = whole?.level1 ?? new ScopeLevel1(engine.level1, this, counts.level1);
    this.flights = whole?.flights ?? new Flights();
    this.#tags = engine.tags.of(address);
    this.waiters = whole?.waiters ?? new Waiters();
    this.failures = whole?.failures ?? new LoadFailures(engine.sharing.backoffMs);
    this.#counts = counts;
    this.#whole = whole;
  }

  /** The same in all but where it counts. */
  countedAs(name: string): ScopeState {
    const whole = this.#whole ?? this;
    return new ScopeState(this.engine, this.address, this.policy, this.#counts, { whole, name });
  }

  keyOf(name: string): string {
    return this.address.prefix + name;
  }

  /** Moves on with every invalidation of a tag that concerns the scope. */
  get tagMoves(): number {
    return this.#tags.moves + this.engine.tags.everywhere.moves;
  }

  /** An entry's tags, as the first level keeps them. */
  level1Tags(tags: StampedTags | undefined): Level1Tags | undefined {
    return tags && new Level1Tags(tags, this.#tags, this.engine.tags.everywhere);
  }

  /** @throws {TierkitError} `ERR_VALUE_KEY_MISSING` */
  seal(name: string, payload: Buffer, sensitive: boolean): Sealed {
    return this.engine.sealer.seal(payload, this.keyOf(name), sensitive || this.policy.sensitive);
  }

  /** A change of the name, here or elsewhere: what is kept or under way may be older. */
  invalidate(name: string): void {
    this.level1.invalidate(name);
    this.flights.detach(name);
    this.failures.forget(name);
    this.waiters.wake(name);
  }

  invalidateAll(): void {
    this.level1.invalidateAll();
    this.flights.detachMatching(() => true);
    this.failures.forgetAll();
    this.waiters.wakeAll();
  }

  invalidateMatching(matches: (name: string) => boolean): void {
    this.level1.invalidateMatching(matches);
    this.flights.detachMatching(matches);
    this.failures.forgetMatching(matches);
    this.waiters.wakeAll();
  }
}
