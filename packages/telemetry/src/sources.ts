import type { Attributes, MetricDefinition, MetricSource } from '@tierkit/core';

/** A metric with what its series say, by their attributes. */
interface MetricSum {
  readonly metric: MetricDefinition;
  readonly series: Map<string, SeriesSum>;
}

/** A series and what all sources together say of it. */
export interface SeriesSum {
  readonly attributes: Attributes;
  value: number;
}

type Sums = Map<string, MetricSum>;

/**
 * Whose numbers are collected. Two caches of one process make one series.
 *
 * What a source counted stays when it leaves, as long as others are there: a counter that goes down means to whoever takes
 * rates that it began anew, and all that is left would count once more.
 */
export class Sources {
  readonly #sources = new Set<MetricSource>();
  readonly #left: Sums = new Map();

  get size(): number {
    return this.#sources.size;
  }

  [Symbol.iterator](): Iterator<MetricSource> {
    return this.#sources.values();
  }

  add(source: MetricSource): void {
    this.#sources.add(source);
  }

  /** @returns whether it was there */
  delete(source: MetricSource): boolean {
    if (!this.#sources.delete(source)) return false;
    if (this.#sources.size === 0) this.#left.clear();
    else addNumbers(this.#left, source, ({ kind }) => kind === 'counter');
    return true;
  }

  /** What all say now, by metric and attributes. */
  sums(): Sums {
    const sums: Sums = new Map();
    for (const { metric, series } of this.#left.values()) {
      for (const { attributes, value } of series.values()) addNumber(sums, metric, value, attributes);
    }
    for (const source of this.#sources) addNumbers(sums, source);
    return sums;
  }
}

/** One that cannot be read is left out; those of the others, and of the user's own registry, are collected. */
function addNumbers(
  sums: Sums,
  source: MetricSource,
  wanted: (metric: MetricDefinition) => boolean = () => true,
): void {
  try {
    source.read((metric, value, attributes) => {
      if (wanted(metric)) addNumber(sums, metric, value, attributes);
    });
  } catch {
    // Collecting has no way to tell the part that it is of.
  }
}

/** A number that is not finite makes no series. */
function addNumber(sums: Sums, metric: MetricDefinition, value: number, attributes: Attributes): void {
  if (!Number.isFinite(value)) return;
  let sum = sums.get(metric.name);
  if (sum === undefined) sums.set(metric.name, (sum = { metric, series: new Map() }));
  const id = seriesId(metric, attributes);
  const known = sum.series.get(id);
  if (known === undefined) sum.series.set(id, { attributes, value });
  else known.value = metric.merge === 'max' ? Math.max(known.value, value) : known.value + value;
}

/** The same for the same values of the metric's attributes. */
export function seriesId({ attributes: names }: MetricDefinition, attributes: Attributes): string {
  return JSON.stringify(names.map((name) => attributes[name] ?? ''));
}
