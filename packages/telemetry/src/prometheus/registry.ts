/** One line of what a metric exposes. */
export interface Sample {
  readonly value: number;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly metricName?: string;
}

/** A metric as prom-client's registry asks for it; a registry of OpenMetrics changes the name of counters. */
export interface CollectedMetric {
  name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  /** How the processes of a Node cluster make one. */
  readonly aggregator: 'sum' | 'max';
  get(): Promise<CollectedMetric & { readonly values: readonly Sample[] }>;
  reset(): void;
}

/** What is needed of prom-client's `Registry`. */
export interface PrometheusRegistry {
  // prom-client's own classes in full, of which a registry calls what `CollectedMetric` has.
  // oxlint-disable-next-line typescript/no-explicit-any
  registerMetric(metric: any): void;
  getSingleMetric(name: string): unknown;
  removeSingleMetric(name: string): void;
}
