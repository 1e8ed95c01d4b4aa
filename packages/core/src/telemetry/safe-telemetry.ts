import { undisturbed } from '../undisturbed.ts';
import type {
  Durations,
  MetricSource,
  SpanDefinition,
  SpanDetails,
  Spans,
  Telemetry,
  TraceHeaders,
} from './telemetry.ts';

/**
 * A telemetry whose failures disturb no work: what its methods throw or reject with is dropped, and what they were to run
 * is run once all the same. Only `observe` may refuse a source, which happens when a part is made.
 */
export function safeTelemetry(telemetry: Telemetry): Telemetry {
  const { spans } = telemetry;
  return {
    observe(source: MetricSource) {
      const end: unknown = telemetry.observe(source);
      undisturbed(() => end);
      return () => undisturbed(end as () => unknown);
    },
    durations(metric, attributes) {
      let series: Durations | undefined;
      undisturbed(() => (series = telemetry.durations(metric, attributes)));
      return { record: (seconds, errorType) => undisturbed(() => series?.record(seconds, errorType)) };
    },
    ...(spans && { spans: safeSpans(spans) }),
    noteError: (error) => undisturbed(() => telemetry.noteError?.(error)),
    traceHeaders() {
      let headers: TraceHeaders | undefined;
      undisturbed(() => (headers = telemetry.traceHeaders?.()));
      return headers;
    },
    ...(telemetry.withTrace && {
      withTrace<T>(headers: Partial<TraceHeaders>, work: () => T): T {
        let outcome: { readonly value: T } | { readonly error: unknown } | undefined;
        const once = (): T => {
          try {
            const value = work();
            outcome = { value };
            return value;
          } catch (error) {
            outcome = { error };
            throw error;
          }
        };
        undisturbed(() => telemetry.withTrace?.(headers, once));
        if (outcome === undefined) return work();
        if ('error' in outcome) throw outcome.error;
        return outcome.value;
      },
    }),
  };
}

function safeSpans(spans: Spans): Spans {
  return {
    active() {
      try {
        return spans.active();
      } catch {
        return false;
      }
    },
    run<T>(span: SpanDefinition, work: () => Promise<T>, details?: SpanDetails): Promise<T> {
      let running: Promise<T> | undefined;
      const once = (): Promise<T> => (running ??= work());
      try {
        // It ends when the span has ended, and as the work did, whatever the span made of it.
        return spans.run(span, once, details).then(once, once);
      } catch {
        return once();
      }
    },
  };
}
