import type { Level1Entry } from '../level1/level1.ts';
import type { ScopeAddress } from '../scope-address.ts';
import { WeighedKeys } from './weighed-keys.ts';

/** A key whose loads took long, all in all. */
export interface CostlyKey {
  readonly tier: string;
  /** As it stands in Redis. */
  readonly key: string;
  /** Since the key is known here, as the other three. */
  readonly loads: number;
  readonly failures: number;
  /** Milliseconds that all of them took. */
  readonly totalMs: number;
  /** That the longest one took. */
  readonly longestMs: number;
}

/** A key that is kept in process and never asked for there. */
export interface UnreadKey {
  readonly tier: string;
  /** As it stands in Redis. */
  readonly key: string;
  /** How often it left the in-process level without a hit since it was put there: evicted, expired or replaced. */
  readonly times: number;
  /** Of the last one, in bytes. */
  readonly bytes: number;
}

interface Cost {
  readonly tier: string;
  loads: number;
  failures: number;
  totalMs: number;
  longestMs: number;
}

interface Waste {
  readonly tier: string;
  times: number;
  bytes: number;
}

/** Which keys cost most to load, and which are kept for nothing: what this instance saw of late, in bounded tables. */
export class KeyUsage {
  readonly #costly = new WeighedKeys<Cost>();
  readonly #unread = new WeighedKeys<Waste>();

  /** A loader ended. */
  loaded({ tier, prefix }: ScopeAddress, name: string, tookMs: number, failed: boolean): void {
    // A load that took no time still is one.
    const weight = Math.max(tookMs, 0.01);
    const fresh = (): Cost => ({ tier, loads: 0, failures: 0, totalMs: 0, longestMs: 0 });
    const cost = this.#costly.add(prefix + name, weight, fresh);
    if (cost === undefined) return;
    cost.loads++;
    if (failed) cost.failures++;
    cost.totalMs += tookMs;
    cost.longestMs = Math.max(cost.longestMs, tookMs);
  }

  /** An entry left the in-process level. */
  left({ tier, prefix }: ScopeAddress, entry: Level1Entry): void {
    const key = prefix + entry.name;
    if (entry.hit) return this.#unread.delete(key);
    const waste = this.#unread.add(key, 1, () => ({ tier, times: 0, bytes: 0 }));
    if (waste === undefined) return;
    waste.times++;
    waste.bytes = entry.bytes;
  }

  fade(part: number): void {
    this.#costly.fade(part);
    this.#unread.fade(part);
  }

  costly(limit: number): CostlyKey[] {
    return this.#costly.top(limit).map(({ key, facts }) => Object.assign({ key }, facts));
  }

  unread(limit: number): UnreadKey[] {
    return this.#unread.top(limit).map(({ key, facts }) => Object.assign({ key }, facts));
  }
}
