import type { Attributes, Durations, MetricDefinition } from '@tierkit/core';
import type { MetricProducer } from '@opentelemetry/sdk-metrics';
import { Distribution, type Cells } from '../distribution.ts';
import { otelAttributes } from './attributes.ts';

type Collected = Awaited<ReturnType<MetricProducer['collect']>>;
type Metric = Collected['resourceMetrics']['scopeMetrics'][number]['metrics'][number];

// Of the SDK, which is not needed to run: `DataPointType.HISTOGRAM`, `AggregationTemporality.CUMULATIVE`, `ValueType.DOUBLE`.
const HISTOGRAM = 0;
const CUMULATIVE = 1;
const DOUBLE = 1;

/**
 * Histograms that are kept in plain numbers and handed to a reader of the SDK that has this among its `metricProducers`:
 * to record a duration then costs next to nothing. They are cumulative whatever the reader prefers, and views do not apply.
 */
export class DurationProducer implements MetricProducer {
  readonly #distributions = new Map<string, Distribution>();
  readonly #startTime = hrTime();

  /** @internal */
  of(metric: MetricDefinition, attributes: Attributes): Durations {
    let distribution = this.#distributions.get(metric.name);
    if (distribution === undefined) {
      distribution = new Distribution(metric);
      this.#distributions.set(metric.name, distribution);
    }
    return distribution.of(attributes);
  }

  /** What the reader calls. */
  async collect(): Promise<Collected> {
    const endTime = hrTime();
    const metrics = [...this.#distributions.values()].map((distribution) => this.#metric(distribution, endTime));
    const scopeMetrics = [{ scope: { name: '@tierkit/telemetry' }, metrics }];
    // Readers take the resource of their own SDK.
    const resource = { attributes: {} } as Collected['resourceMetrics']['resource'];
    return { resourceMetrics: { resource, scopeMetrics }, errors: [] };
  }

  #metric(distribution: Distribution, endTime: [number, number]): Metric {
    const { name, description, unit } = distribution.metric;
    const boundaries = [...distribution.bounds];
    const dataPoints = distribution.recorded().map(({ attributes, counts, sum }: Cells) => ({
      startTime: this.#startTime,
      endTime,
      attributes: otelAttributes(attributes),
      value: { buckets: { boundaries, counts: [...counts] }, sum, count: counts.reduce((total, n) => total + n, 0) },
    }));
    return {
      descriptor: { name, description, unit, valueType: DOUBLE, type: 'HISTOGRAM', advice: {} },
      aggregationTemporality: CUMULATIVE,
      dataPointType: HISTOGRAM,
      dataPoints,
    } as unknown as Metric;
  }
}

function hrTime(): [number, number] {
  const nowMs = Date.now();
  return [Math.trunc(nowMs / 1_000), (nowMs % 1_000) * 1_000_000];
}
