import type { Attributes, MetricDefinition, MetricSource } from '@tierkit/core';

/** A metric with what its series say, by their attributes. */
export interface MetricSum {
  readonly metric: MetricDefinition;
  readonly series: Map<string, SeriesSum>;
}

/** A series and what all sources together say of it. */
export interface SeriesSum {
  readonly attributes: Attributes;
  value: number;
}

/**
 * What all sources say now, added up by metric and attributes: two caches of one process make one series, and a number
 * that is not finite makes none.
 */
export function sumSeries(sources: Iterable<MetricSource>): Map<string, MetricSum> {
  const byName = new Map<string, MetricSum>();
  for (const source of sources) {
    source.read((metric, value, attributes) => {
      if (!Number.isFinite(value)) return;
      let sum = byName.get(metric.name);
      if (sum === undefined) byName.set(metric.name, (sum = { metric, series: new Map() }));
      const id = seriesId(metric, attributes);
      const known = sum.series.get(id);
      if (known === undefined) sum.series.set(id, { attributes, value });
      else known.value += value;
    });
  }
  return byName;
}

/** The same for the same values of the metric's attributes. */
export function seriesId({ attributes: names }: MetricDefinition, attributes: Attributes): string {
  return JSON.stringify(names.map((name) => attributes[name] ?? ''));
}
