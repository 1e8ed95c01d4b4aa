import type { Durations, MetricDefinition, Telemetry } from '@tierkit/core';

/** How often operations of one kind, in one tier, took how long. */
export interface LatencySeries {
  readonly tier: string;
  /** As in the metric `tierkit.cache.operation.duration`. */
  readonly operation: string;
  /** Operations that took up to each of the bounds and longer than the one before, and those that took longer than all. */
  readonly counts: readonly number[];
}

export interface LatencyFigures {
  /** Ascending. */
  readonly boundsMs: readonly number[];
  readonly series: readonly LatencySeries[];
}

/** Telemetry for a kit that keeps how long operations of the cache took, for the dashboard of the same process. */
export interface Latencies extends Telemetry {
  read(): LatencyFigures;
}

const METRIC = 'tierkit.cache.operation.duration';

/**
 * Keeps durations of cache operations as counts by bucket, a few hundred numbers in all: to be given to a kit as
 * `telemetry` and to its admin as `latencies`. Hits in process are not timed.
 */
export function createLatencies(): Latencies {
  const series = new Map<string, { readonly tier: string; readonly operation: string; readonly counts: number[] }>();
  let boundsMs: readonly number[] = [];
  return {
    observe: () => () => undefined,
    durations({ name, bounds = [] }: MetricDefinition, { tier = '', operation = '' }): Durations {
      if (name !== METRIC) return { record: () => undefined };
      boundsMs = bounds.map((bound) => bound * 1_000);
      const id = `${tier} ${operation}`;
      const own = series.get(id) ?? {
        tier: String(tier),
        operation: String(operation),
        counts: Array.from({ length: bounds.length + 1 }, () => 0),
      };
      series.set(id, own);
      return {
        record(seconds) {
          const found = bounds.findIndex((bound) => seconds <= bound);
          const bucket = found < 0 ? bounds.length : found;
          own.counts[bucket] = (own.counts[bucket] ?? 0) + 1;
        },
      };
    },
    read: () => ({ boundsMs, series: Array.from(series.values(), (own) => ({ ...own, counts: [...own.counts] })) }),
  };
}
