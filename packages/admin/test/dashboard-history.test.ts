import type { TierStats } from '@tierkit/cache';
import { describe, expect, it } from 'vitest';
import { History } from '../dashboard/src/live/history.ts';

const tier = (l1Hits: number, misses: number, bytes = 0): TierStats =>
  ({
    l1Hits,
    l2Hits: 0,
    misses,
    shared: 0,
    loads: 0,
    loadMs: 0,
    loading: 0,
    l1: { entries: 1, bytes },
  }) as unknown as TierStats;

function historyOf(seconds: readonly Readonly<Record<string, TierStats>>[]): History {
  return seconds.reduce((history, tiers, second) => history.with({ at: second * 1_000, tiers }), new History());
}

const line = (history: History, name: string): readonly (number | null)[] | undefined =>
  history.hitRates().lines.find((each) => each.name === name)?.values;

describe('the history of a dashboard', () => {
  it('has the hit rate of late, not since the start, and none where nothing was read', () => {
    const history = historyOf([
      { global: tier(100, 0) },
      { global: tier(101, 1) },
      { global: tier(101, 5) },
      ...Array.from({ length: 6 }, () => ({ global: tier(101, 5) })),
    ]);
    expect(line(history, 'global')?.slice(0, 3)).toEqual([null, 1 / 2, 1 / 6]);
    expect(line(history, 'global')?.at(-1)).toBeNull();
  });

  it('counts a tier that is new from nothing', () => {
    expect(line(historyOf([{}, { session: tier(3, 1) }]), 'session')).toEqual([null, 0.75]);
  });

  it('tells reads per second by what answered', () => {
    const history = historyOf([{ global: tier(0, 0) }, { global: tier(10, 0) }, { global: tier(10, 4) }]);
    expect(history.answers().lines.map(({ values }) => values.at(-1))).toEqual([5, 0, 2, 0]);
    expect(history.readsPerSecond()).toBe(7);
  });

  it('begins anew when the counters of an instance do', () => {
    const history = historyOf([{ global: tier(50, 0) }, { global: tier(60, 0) }, { global: tier(2, 0) }]);
    expect(history.samples).toHaveLength(1);
  });

  it('is bounded', () => {
    const history = historyOf(Array.from({ length: 2_000 }, (_, second) => ({ global: tier(second, 0) })));
    expect(history.samples).toHaveLength(900);
    expect(history.samples.at(-1)?.at).toBe(1_999_000);
  });
});
