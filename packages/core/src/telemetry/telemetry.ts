/** Attributes of a series: few, and each of few values. Never a key, an id or anything else that a caller chose. */
export type Attributes = Readonly<Record<string, string | number>>;

/** What a number means, said once for all backends. */
export interface MetricDefinition {
  /** In OpenTelemetry's form: `tierkit.cache.reads`. */
  readonly name: string;
  /** A counter only grows; a gauge is what there is now; a duration is a distribution, in seconds. */
  readonly kind: 'counter' | 'gauge' | 'duration';
  /** UCUM: `s`, `By`, `{read}`. */
  readonly unit: string;
  readonly description: string;
  /** The attributes that its series may have. */
  readonly attributes: readonly string[];
  /** What the numbers of several sources, or processes, with the same attributes make together. @default 'sum' */
  readonly merge?: 'sum' | 'max';
  /** Upper bounds of a duration's buckets, in seconds, ascending. */
  readonly bounds?: readonly number[];
}

/** Takes one number of a metric. Numbers of several sources with the same attributes become one, as its `merge` says. */
export type Observe = (metric: MetricDefinition, value: number, attributes: Attributes) => void;

/** Numbers that somebody keeps anyway, read when they are collected. */
export interface MetricSource {
  readonly metrics: readonly MetricDefinition[];
  read(observe: Observe): void;
}

/** Durations of one series. */
export interface Durations {
  /** @param errorType how it failed, from a small set: an error's code or class; absent for a success */
  record(seconds: number, errorType?: string): void;
}

/** What a span is of. */
export interface SpanDefinition {
  /** For example `tierkit.cache.get`. */
  readonly name: string;
  readonly attributes: Attributes;
  /** What the work's result means, as a word for the span: `hit`, `miss`. */
  readonly resultOf?: ((value: unknown) => string) | undefined;
}

/** What one span has that others do not. Whether keys are shown, hashed or left out is for the backend to decide. */
export interface SpanDetails {
  readonly key?: string | undefined;
  /** How many keys, where there are several. */
  readonly count?: number | undefined;
}

/** W3C Trace Context, as headers. */
export interface TraceHeaders {
  readonly traceparent: string;
  readonly tracestate?: string;
}

/** Spans, for traces that are recorded. */
export interface Spans {
  /** Whether a trace is going on that is recorded; otherwise there is nothing to run as a span. */
  active(): boolean;
  /** Runs work as a span, and settles as the work does. */
  run<T>(span: SpanDefinition, work: () => Promise<T>, details?: SpanDetails): Promise<T>;
}

/**
 * Where a part tells what it does. Parts are given one or none: without it, they pay for one comparison with undefined.
 *
 * No method should throw. Parts are not disturbed by one that does, but `observe` may refuse a source.
 */
export interface Telemetry {
  /**
   * Reads a source whenever somebody collects.
   *
   * @returns a function that ends this; what `close()` of a part calls, so that it leaves nothing behind
   */
  observe(source: MetricSource): () => void;
  /** The series of a duration metric for these attributes, to be kept: finding it costs more than recording. */
  durations(metric: MetricDefinition, attributes: Attributes): Durations;
  /** Absent where there are no spans. */
  readonly spans?: Spans | undefined;
  /** Notes on the span that is going on an error that its work survived. */
  noteError?(error: unknown): void;
  /** The trace that is going on, for a message to carry; undefined for none. */
  traceHeaders?(): TraceHeaders | undefined;
  /** Runs work within the trace that a message brought; headers that are no trace context are ignored. */
  withTrace?<T>(headers: Partial<TraceHeaders>, work: () => T): T;
}
