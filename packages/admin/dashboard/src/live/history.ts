import type { CacheStats } from '@tierkit/cache';
import type { DecisionCount, LatencyFigures } from '../../../src/live-telemetry.ts';
import { countsBetween, quantile } from './quantile.ts';

/** What is remembered of one second. */
export interface Sample {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly tiers: CacheStats['tiers'];
  /** Absent where the admin was given none. */
  readonly latencies?: LatencyFigures | undefined;
  readonly decisions?: readonly DecisionCount[] | undefined;
}

/** Numbers over time as charts take them: as many of each series as there are times; null where there is none. */
export interface Series {
  /** Seconds since 1970. */
  readonly times: readonly number[];
  readonly lines: readonly { readonly name: string; readonly values: readonly (number | null)[] }[];
}

const KEPT = 900;
/** What a rate is taken over, in samples: one second alone would jump about. */
const WINDOW = 5;

type Counters = Pick<
  Sample['tiers'][string],
  'l1Hits' | 'l2Hits' | 'misses' | 'shared' | 'loads' | 'loading' | 'loadMs' | 'l1'
>;
/** Of a tier that nobody had used yet. */
const NOTHING: Counters = {
  ...{ l1Hits: 0, l2Hits: 0, misses: 0, shared: 0, loads: 0, loading: 0, loadMs: 0 },
  l1: { entries: 0, bytes: 0 },
};
/** Operations that answer reads. */
const READS = /^get/;

/** The last quarter of an hour, since this page was opened. */
export class History {
  readonly samples: readonly Sample[];

  constructor(samples: readonly Sample[] = []) {
    this.samples = samples;
  }

  with(sample: Sample): History {
    const last = this.samples.at(-1);
    // Counters that went back are those of an instance that was started anew.
    const kept = last !== undefined && readsOfAll(sample) < readsOfAll(last) ? [] : this.samples;
    return new History([...kept.slice(1 - KEPT), sample]);
  }

  get tiers(): string[] {
    return Object.keys(this.samples.at(-1)?.tiers ?? {});
  }

  /** The share of reads that either level answered; null where nothing was read. */
  hitRates(): Series {
    return this.#perTier((now, before) => {
      const reads = readsOf(now) - readsOf(before);
      return reads === 0 ? null : (hitsOf(now) - hitsOf(before)) / reads;
    });
  }

  /** Loaders that run. */
  loading(): Series {
    return this.#perTier((now) => now.loading);
  }

  /** Milliseconds that loads took that ended of late; null where none did. */
  loadTimes(): Series {
    return this.#perTier((now, before) => {
      const took = now.loadMs - before.loadMs;
      return took <= 0 ? null : took / Math.max(1, now.loads - before.loads);
    });
  }

  /** Milliseconds of reads that this process could not answer; without lines where nobody measures them. */
  latencies(): Series {
    const tiers = [...new Set(this.samples.at(-1)?.latencies?.series.map(({ tier }) => tier))];
    const line = (tier: string, part: number, name: string): Series['lines'][number] => ({
      name: `${tier}, ${name}`,
      values: this.samples.map(({ latencies }, index) => {
        if (latencies === undefined) return null;
        const counts = countsBetween(this.#before(index).latencies, latencies, (series) => {
          return series.tier === tier && READS.test(series.operation);
        });
        return quantile(latencies.boundsMs, counts, part);
      }),
    });
    const lines = tiers.flatMap((tier) => [line(tier, 0.5, 'median'), line(tier, 0.95, '95 %')]);
    return { times: this.#times(), lines };
  }

  /** What limiters decided per second; without lines where nobody counts that. */
  decisions(): Series {
    const lines = (this.samples.at(-1)?.decisions ?? []).map(({ limiter, result }) => {
      const at = (sample: Sample): number =>
        sample.decisions?.find((one) => one.limiter === limiter && one.result === result)?.count ?? 0;
      return { name: `${limiter}, ${result}`, values: this.#perSecond(at) };
    });
    return { times: this.#times(), lines };
  }

  l1Bytes(): Series {
    return this.#perTier((now) => now.l1.bytes);
  }

  /** Reads per second by what answered them, of all tiers. */
  answers(): Series {
    const line = (name: string, of: (tier: Counters) => number): Series['lines'][number] => ({
      name,
      values: this.#perSecond((sample) => sum(sample, of)),
    });
    const lines = [
      line('in process (L1)', ({ l1Hits }) => l1Hits),
      line('Redis (L2)', ({ l2Hits }) => l2Hits),
      line('missed', ({ misses }) => misses),
      line('shared a load', ({ shared }) => shared),
    ];
    return { times: this.#times(), lines };
  }

  /** Reads per second of late, of all tiers. */
  readsPerSecond(): number {
    return this.answers().lines.reduce((total, { values }) => total + (values.at(-1) ?? 0), 0);
  }

  #perTier(value: (now: Counters, before: Counters) => number | null): Series {
    const lines = this.tiers.map((name) => ({
      name,
      values: this.samples.map(({ tiers }, index) => {
        const now = tiers[name];
        return now === undefined ? null : value(now, this.#before(index).tiers[name] ?? NOTHING);
      }),
    }));
    return { times: this.#times(), lines };
  }

  #perSecond(count: (sample: Sample) => number): (number | null)[] {
    return this.samples.map((sample, index) => {
      const before = this.#before(index);
      const seconds = (sample.at - before.at) / 1_000;
      return seconds <= 0 ? null : (count(sample) - count(before)) / seconds;
    });
  }

  #before(index: number): Sample {
    return this.samples[Math.max(0, index - WINDOW)] as Sample;
  }

  #times(): number[] {
    return this.samples.map(({ at }) => at / 1_000);
  }
}

function hitsOf({ l1Hits, l2Hits }: Counters): number {
  return l1Hits + l2Hits;
}

function readsOf(tier: Counters): number {
  return hitsOf(tier) + tier.misses + tier.shared;
}

function readsOfAll(sample: Sample): number {
  return sum(sample, readsOf);
}

function sum({ tiers }: Sample, of: (tier: Counters) => number): number {
  return Object.values(tiers).reduce((total, tier) => total + of(tier), 0);
}
