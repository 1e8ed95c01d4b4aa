import type { MetricDefinition, MetricSource } from '@tierkit/core';
import type { BatchObservableCallback, Meter, Observable } from '@opentelemetry/api';
import { otelAttributes } from './attributes.ts';
import type { RecordedDurations } from './recorded-durations.ts';
import { Sources } from '../sources.ts';

/**
 * Counters and gauges as observable instruments: nothing is recorded while a cache works, its own numbers are read when a
 * reader collects. With the last source the callback goes as well.
 */
export class ObservedMetrics {
  readonly #meter: Meter;
  readonly #durations: RecordedDurations;
  readonly #sources = new Sources();
  readonly #instruments = new Map<string, Observable>();
  #observed: Observable[] = [];

  constructor(meter: Meter, durations: RecordedDurations) {
    this.#meter = meter;
    this.#durations = durations;
  }

  add(source: MetricSource): () => void {
    this.#sources.add(source);
    this.#register();
    return () => {
      if (this.#sources.delete(source)) this.#register();
    };
  }

  #register(): void {
    if (this.#observed.length > 0) this.#meter.removeBatchObservableCallback(this.#collect, this.#observed);
    const metrics = [...this.#sources].flatMap(({ metrics }) => metrics);
    this.#observed = [...new Set(metrics.map((metric) => this.#instrumentOf(metric)))];
    const collected = this.#observed.length > 0;
    if (collected) this.#meter.addBatchObservableCallback(this.#collect, this.#observed);
    this.#durations.collected = collected;
  }

  // The SDK calls this before it looks at its histograms.
  readonly #collect: BatchObservableCallback = (result) => {
    this.#durations.flush();
    for (const { metric, series } of this.#sources.sums().values()) {
      const instrument = this.#instrumentOf(metric);
      for (const { value, attributes } of series.values()) {
        result.observe(instrument, value, otelAttributes(attributes));
      }
    }
  };

  #instrumentOf({ name, kind, unit, description }: MetricDefinition): Observable {
    let instrument = this.#instruments.get(name);
    if (instrument === undefined) {
      const options = { unit, description };
      instrument =
        kind === 'counter'
          ? this.#meter.createObservableCounter(name, options)
          : this.#meter.createObservableGauge(name, options);
      this.#instruments.set(name, instrument);
    }
    return instrument;
  }
}
