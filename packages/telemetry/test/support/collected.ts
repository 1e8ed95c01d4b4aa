import type { Meter, MeterProvider as ApiMeterProvider } from '@opentelemetry/api';
import { MeterProvider, MetricReader, type Histogram, type MetricData } from '@opentelemetry/sdk-metrics';

import { DurationProducer } from '../../src/opentelemetry/index.ts';

class ManualReader extends MetricReader {
  protected override async onForceFlush(): Promise<void> {}
  protected override async onShutdown(): Promise<void> {}
}

/** A series of a metric: its attributes as `a=b,c=d`, sorted, and its number; for a histogram how many were recorded. */
export type Series = Readonly<Record<string, number>>;

/** The real SDK, collected by hand. */
export class CollectedMetrics {
  readonly meterProvider: ApiMeterProvider;
  readonly durations = new DurationProducer();
  readonly #reader = new ManualReader({ metricProducers: [this.durations] });
  readonly #provider: MeterProvider;
  readonly #callbacks = new Set<unknown>();
  #recorded = 0;

  constructor() {
    this.#provider = new MeterProvider({ readers: [this.#reader] });
    this.meterProvider = { getMeter: (name) => this.#counting(this.#provider.getMeter(name)) };
  }

  /** Callbacks that the SDK would call at the next collection. */
  get callbacks(): number {
    return this.#callbacks.size;
  }

  /** Durations that the SDK has been given, whether it was collected or not. */
  get recorded(): number {
    return this.#recorded;
  }

  /** The counts of a histogram's buckets, of one series. */
  async buckets(metric: string, series: string): Promise<readonly number[] | undefined> {
    const { resourceMetrics } = await this.#reader.collect();
    const metrics = resourceMetrics.scopeMetrics.flatMap(({ metrics }) => metrics);
    const points: readonly Point[] = metrics.find(({ descriptor }) => descriptor.name === metric)?.dataPoints ?? [];
    const value = points.find((point) => textOf(point) === series)?.value;
    return typeof value === 'object' && Array.isArray((value as Histogram).buckets.counts)
      ? (value as Histogram).buckets.counts
      : undefined;
  }

  /** All series by the names of their metrics. */
  async collect(): Promise<Readonly<Record<string, Series>>> {
    const { resourceMetrics, errors } = await this.#reader.collect();
    if (errors.length > 0) throw new AggregateError(errors);
    const metrics = resourceMetrics.scopeMetrics.flatMap(({ metrics }) => metrics);
    return Object.fromEntries(
      metrics.map(({ descriptor, dataPoints }) => [
        descriptor.name,
        Object.fromEntries(dataPoints.map((point) => [textOf(point), numberOf(point)])),
      ]),
    );
  }

  /** The SDK itself does not tell what it would call. */
  #counting(meter: Meter): Meter {
    const add = meter.addBatchObservableCallback.bind(meter);
    const create = meter.createHistogram.bind(meter);
    meter.createHistogram = (name, options) => {
      const histogram = create(name, options);
      const record = histogram.record.bind(histogram);
      histogram.record = (...given) => {
        this.#recorded++;
        record(...given);
      };
      return histogram;
    };
    const remove = meter.removeBatchObservableCallback.bind(meter);
    meter.addBatchObservableCallback = (callback, instruments) => {
      this.#callbacks.add(callback);
      add(callback, instruments);
    };
    meter.removeBatchObservableCallback = (callback, instruments) => {
      this.#callbacks.delete(callback);
      remove(callback, instruments);
    };
    return meter;
  }

  async close(): Promise<void> {
    await this.#provider.shutdown();
  }
}

type Point = MetricData['dataPoints'][number];

function textOf({ attributes }: Point): string {
  return Object.keys(attributes)
    .sort()
    .map((name) => `${name}=${String(attributes[name])}`)
    .join(',');
}

function numberOf({ value }: Point): number {
  return typeof value === 'number' ? value : value.count;
}
