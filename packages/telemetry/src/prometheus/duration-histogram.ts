import type { Attributes, Durations, MetricDefinition } from '@tierkit/core';
import { seriesId } from '../series-sums.ts';
import { prometheusLabels, prometheusName } from './names.ts';
import type { CollectedMetric, Sample } from './registry.ts';

interface Cells {
  readonly labels: Readonly<Record<string, string | number>>;
  /** What fell under each bound and not under the one before, then what is above all of them. */
  readonly counts: Float64Array;
  sum: number;
}

/** A histogram in plain numbers: to record is to find the bucket and to add one, without looking at labels. */
export class DurationHistogram implements CollectedMetric {
  name: string;
  readonly help: string;
  readonly type = 'histogram';
  readonly aggregator = 'sum';
  readonly #metric: MetricDefinition;
  readonly #bounds: Float64Array;
  readonly #series = new Map<string, Cells>();

  constructor(metric: MetricDefinition) {
    this.#metric = metric;
    this.name = prometheusName(metric);
    this.help = metric.description;
    this.#bounds = Float64Array.from(metric.bounds ?? []);
  }

  of(attributes: Attributes): Durations {
    const succeeded = this.#cellsOf(attributes);
    return {
      record: (seconds, errorType) => {
        const cells = errorType === undefined ? succeeded : this.#cellsOf({ ...attributes, 'error.type': errorType });
        const bucket = this.#bucketOf(seconds);
        cells.counts[bucket] = (cells.counts[bucket] ?? 0) + 1;
        cells.sum += seconds;
      },
    };
  }

  async get(): Promise<CollectedMetric & { readonly values: readonly Sample[] }> {
    const { name, help, type, aggregator } = this;
    const values = [...this.#series.values()].flatMap((cells) => this.#samples(cells));
    return { name, help, type, aggregator, values, get: () => this.get(), reset: () => this.reset() };
  }

  reset(): void {
    for (const cells of this.#series.values()) {
      cells.counts.fill(0);
      cells.sum = 0;
    }
  }

  #samples({ labels, counts, sum }: Cells): Sample[] {
    const samples: Sample[] = [];
    let count = 0;
    for (const [index, inBucket] of counts.entries()) {
      count += inBucket;
      const le = this.#bounds[index] ?? '+Inf';
      samples.push({ metricName: `${this.name}_bucket`, labels: { le, ...labels }, value: count });
    }
    // What was prepared and never happened is no series.
    if (count === 0) return [];
    samples.push({ metricName: `${this.name}_sum`, labels, value: sum });
    samples.push({ metricName: `${this.name}_count`, labels, value: count });
    return samples;
  }

  #cellsOf(attributes: Attributes): Cells {
    const id = seriesId(this.#metric, attributes);
    let cells = this.#series.get(id);
    if (cells === undefined) {
      cells = { labels: prometheusLabels(attributes), counts: new Float64Array(this.#bounds.length + 1), sum: 0 };
      this.#series.set(id, cells);
    }
    return cells;
  }

  #bucketOf(seconds: number): number {
    const bounds = this.#bounds;
    let bucket = 0;
    while (bucket < bounds.length && seconds > (bounds[bucket] as number)) bucket++;
    return bucket;
  }
}
