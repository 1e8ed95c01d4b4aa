import type { Attributes, Durations, MetricDefinition } from '@tierkit/core';
import { Distribution, type Cells } from '../distribution.ts';
import { prometheusLabels, prometheusName } from './names.ts';
import type { CollectedMetric, Sample } from './registry.ts';

/** A distribution of durations as a histogram of the registry. */
export class DurationHistogram implements CollectedMetric {
  name: string;
  readonly help: string;
  readonly type = 'histogram';
  readonly aggregator = 'sum';
  readonly #distribution: Distribution;

  constructor(metric: MetricDefinition) {
    this.name = prometheusName(metric);
    this.help = metric.description;
    this.#distribution = new Distribution(metric);
  }

  of(attributes: Attributes): Durations {
    return this.#distribution.of(attributes);
  }

  async get(): Promise<CollectedMetric & { readonly values: readonly Sample[] }> {
    const { name, help, type, aggregator } = this;
    const values = this.#distribution.recorded().flatMap((cells) => this.#samples(cells));
    return { name, help, type, aggregator, values, get: () => this.get(), reset: () => this.reset() };
  }

  reset(): void {
    this.#distribution.reset();
  }

  #samples({ attributes, counts, sum }: Cells): Sample[] {
    const labels = prometheusLabels(attributes);
    const samples: Sample[] = [];
    let count = 0;
    for (const [index, inBucket] of counts.entries()) {
      count += inBucket;
      const le = this.#distribution.bounds[index] ?? '+Inf';
      samples.push({ metricName: `${this.name}_bucket`, labels: { le, ...labels }, value: count });
    }
    samples.push({ metricName: `${this.name}_sum`, labels, value: sum });
    samples.push({ metricName: `${this.name}_count`, labels, value: count });
    return samples;
  }
}
