import type { Clock } from '@tierkit/core';
import { LRUCache } from 'lru-cache';
import type { FailureStore } from './failure-store.ts';

interface Count {
  count: number;
  readonly untilMs: number;
}

/** Counts in this process; beyond `maxSubjects` those asked about longest ago are forgotten. It has no timers. */
export class MemoryFailureStore implements FailureStore {
  readonly #clock: Clock;
  readonly #counts: LRUCache<string, Count>;

  constructor(clock: Clock, maxSubjects: number) {
    this.#clock = clock;
    this.#counts = new LRUCache({ max: maxSubjects });
  }

  async increment(key: string, by: number, seconds: number): Promise<[number, number]> {
    const known = this.#alive(key) ?? this.#put(key, 0, seconds);
    known.count += by;
    return [known.count, this.#leftMs(known)];
  }

  async read(key: string): Promise<[number | null, number]> {
    const known = this.#alive(key);
    return known === undefined ? [null, -2] : [known.count, this.#leftMs(known)];
  }

  async write(key: string, count: number, seconds: number): Promise<['OK', number]> {
    return ['OK', this.#leftMs(this.#put(key, count, seconds))];
  }

  async remove(key: string): Promise<number> {
    return this.#counts.delete(key) ? 1 : 0;
  }

  #alive(key: string): Count | undefined {
    const known = this.#counts.get(key);
    return known !== undefined && this.#leftMs(known) > 0 ? known : undefined;
  }

  #put(key: string, count: number, seconds: number): Count {
    const made = { count, untilMs: this.#clock.monotonic() + seconds * 1_000 };
    this.#counts.set(key, made);
    return made;
  }

  #leftMs({ untilMs }: Count): number {
    return Math.ceil(untilMs - this.#clock.monotonic());
  }
}
