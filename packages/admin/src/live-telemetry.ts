import type { Durations, MetricDefinition, MetricSource, Telemetry } from '@tierkit/core';

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

/** How often a limiter decided so. */
export interface DecisionCount {
  readonly limiter: string;
  /** `allowed`, `denied` or `shadowed`. */
  readonly result: string;
  readonly count: number;
}

/** What a live stream tells of what the telemetry of a kit was told. */
export interface LiveFigures {
  readonly latencies: LatencyFigures;
  readonly decisions: readonly DecisionCount[];
}

/** Telemetry that keeps the few numbers of it that the dashboard of the same process shows. */
export interface LiveTelemetry extends Telemetry {
  read(): LiveFigures;
}

/** The first that keeps numbers for a dashboard; undefined for none. */
export function liveAmong(given: Telemetry | readonly Telemetry[] | undefined): LiveTelemetry | undefined {
  return [given ?? []].flat().find((one): one is LiveTelemetry => 'read' in one);
}

const DECISIONS = 'tierkit.rate_limit.decisions';
const METRIC = 'tierkit.cache.operation.duration';

/**
 * Keeps durations of cache operations as counts by bucket, a few hundred numbers in all, and knows what limiters decided: to
 * be given to a kit as `telemetry` and to its admin too. Hits in process are not timed.
 */
export function createLiveTelemetry(): LiveTelemetry {
  const series = new Map<string, { readonly tier: string; readonly operation: string; readonly counts: number[] }>();
  const sources = new Set<MetricSource>();
  let boundsMs: readonly number[] = [];
  return {
    observe(source) {
      if (!source.metrics.some(({ name }) => name === DECISIONS)) return () => undefined;
      sources.add(source);
      return () => sources.delete(source);
    },
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
    read: () => ({
      latencies: { boundsMs, series: Array.from(series.values(), (own) => ({ ...own, counts: [...own.counts] })) },
      decisions: decisionsOf(sources),
    }),
  };
}

function decisionsOf(sources: ReadonlySet<MetricSource>): DecisionCount[] {
  const found = new Map<string, { readonly limiter: string; readonly result: string; count: number }>();
  for (const source of sources) {
    source.read(({ name }, count, { limiter = '', result = '' }) => {
      if (name !== DECISIONS) return;
      const id = `${result} ${limiter}`;
      const own = found.get(id) ?? { limiter: String(limiter), result: String(result), count: 0 };
      own.count += count;
      found.set(id, own);
    });
  }
  return [...found.values()];
}
