import type { Durations, KeyDisclosure, Telemetry } from '@tierkit/core';
import { context, metrics, trace, type MeterProvider, type TracerProvider } from '@opentelemetry/api';
import type { DurationProducer } from './duration-producer.ts';
import { ObservedMetrics } from './observed-metrics.ts';
import { RecordedDurations } from './recorded-durations.ts';
import { createSpans, noteOnActive } from './spans.ts';
import { contextOf, headersOf } from './trace-headers.ts';

export interface OpenTelemetryOptions {
  /** @default the provider that was registered globally by the time of this call */
  readonly meterProvider?: MeterProvider;
  /** @default the global one */
  readonly tracerProvider?: TracerProvider;
  /** Whether metrics are made; false where Prometheus has them. @default true */
  readonly metrics?: boolean;
  /**
   * Whether `db.client.operation.duration` is made. Leave it off where an instrumentation of ioredis makes it.
   *
   * @default true with `durations`, else false: a second microsecond for each command
   */
  readonly redisCommands?: boolean;
  /**
   * Where durations are kept, for a service at its limit: the reader must have it among its `metricProducers`.
   *
   * @default histograms of the meter, at about a microsecond a duration
   */
  readonly durations?: DurationProducer;
  /** Whether spans are made. @default true */
  readonly spans?: boolean;
  /** How keys appear in spans. Metrics never have them. @default 'omitted' */
  readonly keys?: KeyDisclosure;
}

const NAME = '@tierkit/telemetry';
const noDurations: Durations = { record() {} };
const nothing = (): void => {};

/**
 * Tells OpenTelemetry what the parts do: counters and gauges read when they are collected, histograms of durations, and
 * spans inside traces that are recorded. One may serve several parts; their numbers are added up.
 *
 * Make it after the SDK was started: meters that were asked for before stay without effect.
 */
export function openTelemetry(options: OpenTelemetryOptions = {}): Telemetry {
  const withMetrics = options.metrics !== false;
  const withCommands = options.redisCommands ?? options.durations !== undefined;
  const meter = (options.meterProvider ?? metrics.getMeterProvider()).getMeter(NAME);
  const tracer = (options.tracerProvider ?? trace.getTracerProvider()).getTracer(NAME);
  const recorded = new RecordedDurations(meter);
  const observed = new ObservedMetrics(meter, recorded);
  return {
    observe: (source) => (withMetrics ? observed.add(source) : nothing),
    durations(metric, attributes) {
      const wanted = withMetrics && (withCommands || !metric.name.startsWith('db.'));
      return wanted ? (options.durations ?? recorded).of(metric, attributes) : noDurations;
    },
    spans: options.spans === false ? undefined : createSpans(tracer, options.keys ?? 'omitted'),
    noteError: noteOnActive,
    traceHeaders() {
      const active = trace.getActiveSpan()?.spanContext();
      return active && trace.isSpanContextValid(active) ? headersOf(active) : undefined;
    },
    withTrace(headers, work) {
      const parent = contextOf(headers);
      return parent === undefined ? work() : context.with(trace.setSpanContext(context.active(), parent), work);
    },
  };
}
