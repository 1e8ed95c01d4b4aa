import { safeTelemetry } from './safe-telemetry.ts';
import type { Spans, Telemetry } from './telemetry.ts';

/**
 * One telemetry that tells several, for example metrics to Prometheus and traces to OpenTelemetry; undefined for none.
 * One that is given twice is told once. Their failures are kept from whoever tells them.
 */
export function combineTelemetry(given: Telemetry | readonly Telemetry[] | undefined): Telemetry | undefined {
  if (given === undefined) return undefined;
  const [first, ...others] = [...new Set(isList(given) ? given : [given])].map(safeTelemetry);
  return first && others.reduce(both, first);
}

function isList(given: Telemetry | readonly Telemetry[]): given is readonly Telemetry[] {
  return Array.isArray(given);
}

function both(one: Telemetry, two: Telemetry): Telemetry {
  const spans = one.spans && two.spans ? nested(one.spans, two.spans) : (one.spans ?? two.spans);
  return {
    observe(source) {
      const endOne = one.observe(source);
      try {
        const endTwo = two.observe(source);
        return () => {
          endOne();
          endTwo();
        };
      } catch (error) {
        endOne();
        throw error;
      }
    },
    durations(metric, attributes) {
      const series = [one.durations(metric, attributes), two.durations(metric, attributes)];
      return {
        record(seconds, errorType) {
          for (const each of series) each.record(seconds, errorType);
        },
      };
    },
    spans,
    noteError(error) {
      one.noteError?.(error);
      two.noteError?.(error);
    },
    traceHeaders: () => one.traceHeaders?.() ?? two.traceHeaders?.(),
    withTrace<T>(headers: Parameters<NonNullable<Telemetry['withTrace']>>[0], work: () => T): T {
      const inner = (): T => (two.withTrace === undefined ? work() : two.withTrace(headers, work));
      return one.withTrace === undefined ? inner() : one.withTrace(headers, inner);
    },
  };
}

function nested(outer: Spans, inner: Spans): Spans {
  return {
    active: () => outer.active() || inner.active(),
    run: (span, work, details) => {
      const within = (): ReturnType<typeof work> => (inner.active() ? inner.run(span, work, details) : work());
      return outer.active() ? outer.run(span, within, details) : within();
    },
  };
}
