import type { HitHistory } from '@tierkit/cache';
import type { Series } from './history.ts';

/** What the instance counted minute by minute, from before this page was opened. */
export type HourOfHits = HitHistory;

const MINUTE = 60;

/** The hit rate of each tier in each minute; null where nothing was read. */
export function hitRatesByMinute({ untilMs, series }: HourOfHits): Series {
  const tiers = series.filter(({ name }) => name === undefined);
  const length = Math.max(0, ...tiers.map(({ minutes }) => minutes.length));
  const end = untilMs / 1_000;
  return {
    times: Array.from({ length }, (_, minute) => end - (length - 1 - minute) * MINUTE),
    lines: tiers.map(({ tier, minutes }) => ({
      name: tier,
      values: [
        ...Array.from({ length: length - minutes.length }, () => null),
        ...minutes.map(({ hits, misses }) => (hits + misses === 0 ? null : hits / (hits + misses))),
      ],
    })),
  };
}
