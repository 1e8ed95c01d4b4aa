import type { Attributes, Durations, MetricDefinition } from '@tierkit/core';
import type { Attributes as OtelAttributes, Histogram, Meter } from '@opentelemetry/api';
import { seriesId } from '../sources.ts';
import { otelAttributes } from './attributes.ts';

/** Durations of one series that are recorded together: a duration by itself takes the SDK several times as long. */
const BATCH = 64;

/** Durations as histograms of the meter, one a metric. */
export class RecordedDurations {
  readonly #meter: Meter;
  readonly #histograms = new Map<string, Histogram>();
  readonly #series = new Map<string, SeriesDurations>();
  #collected = false;

  constructor(meter: Meter) {
    this.#meter = meter;
  }

  /** @param collected whether `flush` will be called before each collection, so that durations may wait for it */
  set collected(collected: boolean) {
    this.#collected = collected;
    if (!collected) this.flush();
  }

  of(metric: MetricDefinition, attributes: Attributes): Durations {
    const histogram = this.#histogramOf(metric);
    const succeeded = otelAttributes(attributes);
    // One for all parts that record it, so that there are as many as series, however often parts are made.
    const id = `${metric.name} ${seriesId(metric, attributes)}`;
    const series = this.#series.get(id) ?? new SeriesDurations(histogram, succeeded);
    this.#series.set(id, series);
    return {
      record: (seconds, errorType) => {
        if (errorType !== undefined) histogram.record(seconds, { ...succeeded, 'error.type': errorType });
        else if (this.#collected) series.add(seconds);
        else histogram.record(seconds, succeeded);
      },
    };
  }

  /** Records what waits. */
  flush(): void {
    for (const series of this.#series.values()) series.flush();
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

class SeriesDurations {
  readonly #histogram: Histogram;
  readonly #attributes: OtelAttributes;
  #waiting: number[] = [];

  constructor(histogram: Histogram, attributes: OtelAttributes) {
    this.#histogram = histogram;
    this.#attributes = attributes;
  }

  add(seconds: number): void {
    if (this.#waiting.push(seconds) >= BATCH) this.flush();
  }

  flush(): void {
    for (const seconds of this.#waiting) this.#histogram.record(seconds, this.#attributes);
    this.#waiting.length = 0;
  }
}
