import type { Sealed } from '@tierkit/core';
import type { Engine } from './engine.ts';
import type { ScopeAddress } from './scope-address.ts';
import { ScopeLevel1 } from './scope-level1.ts';
import { Level1Tags } from './level1-tags.ts';
import type { StampedTags } from './stamped-tags.ts';
import type { TierStats } from './stats.ts';
import type { TagTable } from './tag-table.ts';
import type { TierPolicy } from './tier-policy.ts';
import { Waiters } from './waiters.ts';

/** A load in this process that callers of one name share. */
export interface Flight {
  readonly promise: Promise<LoadedValue>;
  /** The scope's when it began: a tag that was invalidated since may be one of what it loads. */
  readonly tagMoves: number;
  readonly plan: LoadPlan;
}

/** What callers want done with a loaded value. */
export interface LoadPlan {
  readonly ttlMs: number;
  /** Of all callers so far, as they are stored. */
  tags: readonly string[];
  /** Set once one of the callers says so, as long as the value is not stored yet. */
  sensitive: boolean;
}

/** A value as callers may have it: `shareable` as it is, otherwise a copy each. */
export interface LoadedValue {
  readonly value: unknown;
  readonly shareable: boolean;
  /** Nobody else has it: it needs neither freezing nor copying. */
  readonly own?: boolean;
}

/** Everything that one instance knows about one scope. There is one at most for each scope. */
export class ScopeState {
  readonly address: ScopeAddress;
  readonly ttlMs: number;
  /** Whether every value is encrypted, and none is read that is not. */
  readonly sensitive: boolean;
  readonly engine: Engine;
  readonly stats: TierStats;
  readonly level1: ScopeLevel1;
  readonly flights: Map<string, Flight> = new Map();
  /** Held here, so that it lasts as long as the scope is in use. */
  readonly #tags: TagTable;
  readonly waiters: Waiters = new Waiters();

  constructor(engine: Engine, address: ScopeAddress, policy: TierPolicy, stats: TierStats) {
    this.engine = engine;
    this.address = address;
    this.ttlMs = policy.ttlMs;
    this.sensitive = policy.sensitive;
    this.stats = stats;
    this.#tags = engine.tags.of(address);
    this.level1 = new ScopeLevel1(engine.level1, this);
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
    return this.engine.sealer.seal(payload, this.keyOf(name), sensitive || this.sensitive);
  }

  /** A change of the name, here or elsewhere: what is kept or under way may be older. */
  invalidate(name: string): void {
    this.level1.invalidate(name);
    this.flights.delete(name);
    this.waiters.wake(name);
  }

  invalidateAll(): void {
    this.level1.invalidateAll();
    this.flights.clear();
    this.waiters.wakeAll();
  }

  invalidateMatching(matches: (name: string) => boolean): void {
    this.level1.invalidateMatching(matches);
    for (const name of this.flights.keys()) if (matches(name)) this.flights.delete(name);
    this.waiters.wakeAll();
  }
}
