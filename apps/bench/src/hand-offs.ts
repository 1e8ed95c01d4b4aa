import type { LockAnswer } from './processes/lock-process.ts';

export interface HandOffs {
  /** Times that the lock went to another waiter than the one that had it. */
  readonly count: number;
  /** The share of holds by which a waiter followed itself while others waited. */
  readonly selfRegrants: number;
  /** Jain's index of how often each waiter had it: 1 if all had it alike, 1/n if one had it always. */
  readonly fairness: number;
  readonly longestWaitToMedian: number;
  /** Holds that began before the one before had ended. */
  readonly overlaps: number;
}

/** What the holds of all processes together say about a contended lock. */
export function summariseHolds(holds: LockAnswer['holds']): HandOffs {
  const sorted = holds.toSorted((a, b) => a.fromMs - b.fromMs);
  const times = new Map<string, number>();
  let count = 0;
  let overlaps = 0;
  for (const [i, hold] of sorted.entries()) {
    times.set(hold.waiter, (times.get(hold.waiter) ?? 0) + 1);
    const before = sorted[i - 1];
    if (before?.waiter !== hold.waiter) count++;
    if (before !== undefined && hold.fromMs < before.untilMs) overlaps++;
  }
  const counts = [...times.values()];
  const sum = counts.reduce((total, each) => total + each, 0);
  const squares = counts.reduce((total, each) => total + each * each, 0);
  const waits = holds.map(({ askedMs, fromMs }) => fromMs - askedMs).sort((a, b) => a - b);
  const median = waits[Math.floor(waits.length / 2)] ?? Number.NaN;
  return {
    count,
    selfRegrants: 1 - count / Math.max(1, holds.length),
    fairness: (sum * sum) / (counts.length * squares),
    longestWaitToMedian: (waits.at(-1) ?? Number.NaN) / median,
    overlaps,
  };
}
