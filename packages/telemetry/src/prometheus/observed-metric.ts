import type { MetricDefinition } from '@tierkit/core';
import type { SeriesSum } from '../sources.ts';
import { prometheusLabels, prometheusName } from './names.ts';
import type { CollectedMetric, Sample } from './registry.ts';

/** A counter or gauge whose numbers are somebody else's, read when it is scraped. */
export class ObservedMetric implements CollectedMetric {
  name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge';
  readonly aggregator: 'sum' | 'max';
  readonly #read: () => Iterable<SeriesSum>;

  constructor(metric: MetricDefinition, read: () => Iterable<SeriesSum>) {
    this.name = prometheusName(metric);
    this.help = metric.description;
    this.type = metric.kind === 'counter' ? 'counter' : 'gauge';
    this.aggregator = metric.merge ?? 'sum';
    this.#read = read;
  }

  async get(): Promise<CollectedMetric & { readonly values: readonly Sample[] }> {
    const { name, help, type, aggregator } = this;
    const values = Array.from(this.#read(), ({ attributes, value }) => ({
      value,
      labels: prometheusLabels(attributes),
    }));
    return { name, help, type, aggregator, values, get: () => this.get(), reset: () => this.reset() };
  }

  /** The numbers are not its own. */
  reset(): void {}
}
