import type { Attributes, Durations, MetricDefinition } from '@tierkit/core';
import type { Histogram, Meter } from '@opentelemetry/api';
import { otelAttributes } from './attributes.ts';

/** Durations as histograms of the meter, one a metric. */
export class RecordedDurations {
  readonly #meter: Meter;
  readonly #histograms = new Map<string, Histogram>();

  constructor(meter: Meter) {
    this.#meter = meter;
  }

  of(metric: MetricDefinition, attributes: Attributes): Durations {
    const histogram = this.#histogramOf(metric);
    const succeeded = otelAttributes(attributes);
    return {
      record(seconds, errorType) {
        histogram.record(seconds, errorType === undefined ? succeeded : { ...succeeded, 'error.type': errorType });
      },
    };
  }

  #histogramOf({ name, unit, description, bounds = [] }: MetricDefinition): Histogram {
    let histogram = this.#histograms.get(name);
    if (histogram === undefined) {
      const advice = { explicitBucketBoundaries: [...bounds] };
      histogram = this.#meter.createHistogram(name, { unit, description, advice });
      this.#histograms.set(name, histogram);
    }
    return histogram;
  }
}
