import type { LatencyFigures, LatencySeries } from '../../../src/live-telemetry.ts';

/** How many durations fell into each bucket between two times, of the series that are wanted. */
export function countsBetween(
  before: LatencyFigures | undefined,
  now: LatencyFigures,
  wanted: (series: LatencySeries) => boolean,
): number[] {
  const total = (figures: LatencyFigures | undefined, bucket: number): number =>
    (figures?.series ?? []).filter(wanted).reduce((sum, { counts }) => sum + (counts[bucket] ?? 0), 0);
  return Array.from({ length: now.boundsMs.length + 1 }, (_, bucket) => total(now, bucket) - total(before, bucket));
}

/**
 * The duration that the given part of all did not exceed, taken to lie evenly within its bucket; the last bound for one
 * beyond it, null where there is none.
 */
export function quantile(bounds: readonly number[], counts: readonly number[], part: number): number | null {
  const all = counts.reduce((sum, count) => sum + count, 0);
  if (all === 0) return null;
  let left = part * all;
  for (const [bucket, count] of counts.entries()) {
    const [low, high] = [bounds[bucket - 1] ?? 0, bounds[bucket]];
    if (high === undefined) return low;
    if (left <= count && count > 0) return low + (high - low) * (left / count);
    left -= count;
  }
  return bounds.at(-1) ?? null;
}
