import type { MetricSource, Observe } from '@tierkit/core';
import type { LiveCounters, TierCounts } from '../stats.ts';
import { COUNTED, INCOHERENT, IO, L1_ENTRIES, L1_SIZE, READS, RESULTS, UNCONFIRMED } from './cache-metrics.ts';

/** What is read of a cache when somebody collects. */
export interface CacheState {
  readonly tiers: ReadonlyMap<string, TierCounts>;
  readonly coherent: boolean;
  readonly unconfirmedScopes: number;
}

const metrics = [READS, IO, ...COUNTED.map(([, metric]) => metric), L1_ENTRIES, L1_SIZE, INCOHERENT, UNCONFIRMED];

/** The numbers that the statistics keep anyway, as metrics. */
export function cacheSource(state: () => CacheState): MetricSource {
  return {
    metrics,
    read(observe) {
      const { tiers, coherent, unconfirmedScopes } = state();
      for (const [tier, counts] of tiers) {
        for (const [name, counters] of counts.series()) observeCounters(observe, counters, { tier, name });
        observe(L1_ENTRIES, counts.level1.entries, { tier });
        observe(L1_SIZE, counts.level1.bytes, { tier });
      }
      observe(INCOHERENT, coherent ? 0 : 1, {});
      observe(UNCONFIRMED, unconfirmedScopes, {});
    },
  };
}

function observeCounters(
  observe: Observe,
  counters: LiveCounters,
  of: { readonly tier: string; readonly name: string },
): void {
  for (const [result, counter] of Object.entries(RESULTS)) observe(READS, counters[counter], { ...of, result });
  for (const [counter, metric] of COUNTED) observe(metric, counters[counter], of);
  observe(IO, counters.bytesRead, { ...of, direction: 'read' });
  observe(IO, counters.bytesWritten, { ...of, direction: 'write' });
}
