import type { Clock } from '@tierkit/core';
import { LRUCache } from 'lru-cache';
import type { GuardRuleSettings } from './guard-options.ts';
import type { GuardStore, Standing } from './guard-store.ts';

interface Count {
  count: number;
  readonly untilMs: number;
}

/** Counts in this process; beyond `maxSubjects` those asked about longest ago are forgotten. It has no timers. */
export class MemoryGuardStore implements GuardStore {
  readonly #clock: Clock;
  /** As in Redis: beyond the last failure, 1 more for a block, 2 for one that an attempt made ahead. */
  readonly #failures: LRUCache<string, Count>;
  readonly #blocks: LRUCache<string, Count>;

  constructor(clock: Clock, maxSubjects: number) {
    this.#clock = clock;
    this.#failures = new LRUCache({ max: maxSubjects });
    this.#blocks = new LRUCache({ max: maxSubjects });
  }

  async standing(key: string, { failures }: GuardRuleSettings): Promise<Standing> {
    const known = this.#alive(this.#failures, key);
    const count = known?.count ?? 0;
    return known !== undefined && count >= failures
      ? { blockedMs: this.#leftMs(known), left: 0 }
      : { blockedMs: 0, left: failures - count };
  }

  failed(key: string, rule: GuardRuleSettings): Promise<Standing> {
    return this.#count(key, rule, false);
  }

  attempt(key: string, rule: GuardRuleSettings): Promise<Standing> {
    return this.#count(key, rule, true);
  }

  async takeBack(key: string, rule: GuardRuleSettings, what: 'one' | 'all'): Promise<void> {
    const { failures, withinSeconds } = rule;
    const known = this.#alive(this.#failures, key);
    if (known === undefined) return;
    const ahead = known.count === failures + 2;
    const blocks = this.#alive(this.#blocks, key);
    if (ahead && blocks !== undefined) blocks.count--;
    if (what === 'all') this.#failures.delete(key);
    else if (ahead) this.#put(this.#failures, key, failures - 1, withinSeconds);
    else if (known.count < failures) known.count = Math.max(0, known.count - 1);
  }

  async forget(key: string): Promise<void> {
    this.#failures.delete(key);
    this.#blocks.delete(key);
  }

  async #count(key: string, rule: GuardRuleSettings, ahead: boolean): Promise<Standing> {
    const { failures, withinSeconds, blockSeconds, forgetSeconds } = rule;
    const known = this.#alive(this.#failures, key) ?? this.#put(this.#failures, key, 0, withinSeconds);
    if (known.count >= failures) return { blockedMs: this.#leftMs(known), left: 0 };
    known.count++;
    if (known.count < failures) return { blockedMs: 0, left: failures - known.count };
    const blocks = this.#alive(this.#blocks, key) ?? this.#put(this.#blocks, key, 0, forgetSeconds);
    blocks.count++;
    const seconds = blockSeconds[Math.min(blocks.count, blockSeconds.length) - 1] ?? 0;
    this.#put(this.#failures, key, failures + (ahead ? 2 : 1), seconds);
    return { blockedMs: ahead ? 0 : seconds * 1_000, left: 0 };
  }

  #alive(counts: LRUCache<string, Count>, key: string): Count | undefined {
    const known = counts.get(key);
    return known !== undefined && this.#leftMs(known) > 0 ? known : undefined;
  }

  #put(counts: LRUCache<string, Count>, key: string, count: number, seconds: number): Count {
    const made = { count, untilMs: this.#clock.monotonic() + seconds * 1_000 };
    counts.set(key, made);
    return made;
  }

  #leftMs({ untilMs }: Count): number {
    return Math.ceil(untilMs - this.#clock.monotonic());
  }
}
