import { TierkitError, type MetricDefinition, type MetricSource, type Telemetry } from '@tierkit/core';
import { Sources, type SeriesSum } from '../sources.ts';
import { DurationHistogram } from './duration-histogram.ts';
import { prometheusName } from './names.ts';
import { ObservedMetric } from './observed-metric.ts';
import type { CollectedMetric, PrometheusRegistry } from './registry.ts';

export interface PrometheusOptions {
  /** Where the metrics go: a `Registry` of prom-client, for example its default `register`. */
  readonly registry: PrometheusRegistry;
}

/**
 * Puts the metrics of the parts into a registry of the user's, which serves them as it does its own. One serves all parts
 * of a process; their numbers are added up. Once the last part is closed, its metrics are gone from the registry.
 *
 * @throws {TierkitError} `ERR_TELEMETRY_REGISTRY`: this is no registry of prom-client. A part throws it when it is made,
 * if another one made with another `prometheus()` has its metrics in the same registry.
 */
export function prometheus({ registry }: PrometheusOptions): Telemetry {
  if (typeof registry?.registerMetric !== 'function' || typeof registry.removeSingleMetric !== 'function') {
    throw new TierkitError('ERR_TELEMETRY_REGISTRY', 'registry must be a Registry of prom-client');
  }
  const metrics = new RegisteredMetrics(registry);
  return {
    observe: (source) => metrics.observe(source),
    durations: (metric, attributes) => metrics.histogramOf(metric).of(attributes),
  };
}

class RegisteredMetrics {
  readonly #registry: PrometheusRegistry;
  readonly #sources = new Sources();
  readonly #histograms = new Map<string, DurationHistogram>();
  readonly #registered = new Map<string, CollectedMetric>();

  constructor(registry: PrometheusRegistry) {
    this.#registry = registry;
  }

  observe(source: MetricSource): () => void {
    const wanted = source.metrics.map((metric) => [prometheusName(metric), metric] as const);
    const taken = wanted.find(([name]) => !this.#holds(name) && this.#registry.getSingleMetric(name));
    if (taken !== undefined) {
      const message = `the registry has a metric ${taken[0]} already; give all parts the same prometheus()`;
      throw new TierkitError('ERR_TELEMETRY_REGISTRY', message, { details: { metric: taken[0] } });
    }
    this.#sources.add(source);
    for (const [name, metric] of wanted) {
      if (!this.#holds(name)) this.#register(name, new ObservedMetric(metric, () => this.#seriesOf(metric)));
    }
    for (const [name, histogram] of this.#histograms) this.#register(name, histogram);
    return () => {
      if (this.#sources.delete(source) && this.#sources.size === 0) this.#unregister();
    };
  }

  histogramOf(metric: MetricDefinition): DurationHistogram {
    const name = prometheusName(metric);
    let histogram = this.#histograms.get(name);
    if (histogram === undefined) {
      histogram = new DurationHistogram(metric);
      this.#histograms.set(name, histogram);
      if (this.#sources.size > 0) this.#register(name, histogram);
    }
    return histogram;
  }

  #register(name: string, metric: CollectedMetric): void {
    if (this.#registry.getSingleMetric(name) !== undefined) return;
    this.#registry.registerMetric(metric);
    this.#registered.set(name, metric);
  }

  /** Whether the registry has our metric of that name; its owner may have cleared it. */
  #holds(name: string): boolean {
    const metric = this.#registered.get(name);
    return metric !== undefined && this.#registry.getSingleMetric(name) === metric;
  }

  #unregister(): void {
    for (const name of this.#registered.keys()) {
      if (this.#holds(name)) this.#registry.removeSingleMetric(name);
    }
    this.#registered.clear();
  }

  /** A scrape asks metric by metric; the sources are asked once for all of them. */
  #seriesOf(wanted: MetricDefinition): Iterable<SeriesSum> {
    this.#collected ??= this.#sources.sums();
    queueMicrotask(() => (this.#collected = undefined));
    return this.#collected.get(wanted.name)?.series.values() ?? [];
  }

  #collected: ReturnType<Sources['sums']> | undefined;
}
