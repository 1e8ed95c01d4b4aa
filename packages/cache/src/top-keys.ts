import type { AccessLog } from './logging/access-log.ts';
import type { ScopeAddress } from './scope-address.ts';
import type { LiveCounters } from './stats.ts';

/** A key that is read often. */
export interface TopKey {
  readonly tier: string;
  /** As it stands in Redis. */
  readonly key: string;
  /** Its part of the recent reads, from 0 to 1: an estimate that is rather too low. */
  readonly share: number;
}

/** On average one read of so many is looked at. */
const EVERY = 250;
/** A key with a larger part of the reads than one of so many is found for certain, as far as samples tell. */
const MAX_KEYS = 200;
/** When so many samples were taken, all of them count half from then on: old reads fade. */
const FADE_AT = 20_000;

/**
 * The keys that are read most often, from samples: a bounded table of which, when it is full, a new key takes one sample
 * from each of the others ("Misra-Gries"), so that what is frequent stays, at a constant cost on average.
 */
export class TopKeys {
  readonly #tallies = new Map<string, { readonly tier: string; samples: number }>();
  #samples = 0;
  /** Reads of the second level until the next sample. */
  #countdown = sampleStep();
  readonly #accessLog: AccessLog | undefined;

  /** @param accessLog is told of every hit of the first level, for which `sampleAt` of the counters must be 0 */
  constructor(accessLog?: AccessLog) {
    this.#accessLog = accessLog;
  }

  /** Notes a read that the first level did not answer. */
  read(address: ScopeAddress, name: string): void {
    if (--this.#countdown > 0) return;
    this.#countdown = sampleStep();
    this.sample(address, name);
  }

  /** Notes the hit of the first level that is the next one to be looked at. */
  sampleHit(counters: LiveCounters, address: ScopeAddress, name: string): void {
    if (this.#accessLog !== undefined) {
      this.#accessLog.hit(address, name, 'l1');
      return this.read(address, name);
    }
    counters.sampleAt = counters.l1Hits + sampleStep();
    this.sample(address, name);
  }

  sample({ tier, prefix }: ScopeAddress, name: string): void {
    if (this.#samples >= FADE_AT) this.#fade();
    this.#samples++;
    const key = prefix + name;
    const known = this.#tallies.get(key);
    if (known !== undefined) known.samples++;
    else if (this.#tallies.size < MAX_KEYS) this.#tallies.set(key, { tier, samples: 1 });
    else this.#change((samples) => samples - 1);
  }

  /** The keys with the largest shares, those first. */
  top(limit: number): TopKey[] {
    const shares = Array.from(this.#tallies, ([key, { tier, samples }]) => ({
      tier,
      key,
      share: samples / this.#samples,
    }));
    return shares.toSorted((a, b) => b.share - a.share).slice(0, limit);
  }

  #fade(): void {
    this.#samples /= 2;
    this.#change((samples) => samples / 2);
  }

  #change(change: (samples: number) => number): void {
    for (const [key, tally] of this.#tallies) {
      tally.samples = change(tally.samples);
      if (tally.samples <= 0) this.#tallies.delete(key);
    }
  }
}

/** How many reads further the next one is looked at: random, since reads may have a rhythm. */
export function sampleStep(): number {
  return 1 + Math.floor(Math.random() * (2 * EVERY - 1));
}
