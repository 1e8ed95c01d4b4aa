import type { TraceHeaders } from '@tierkit/core';
import { createTraceState, isSpanContextValid, type SpanContext } from '@opentelemetry/api';

const TRACEPARENT = /^([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(-.*)?$/;
/** The most that the standard asks everybody to pass on. */
const MAX_TRACESTATE = 512;

/** A span's context as W3C Trace Context. */
export function headersOf({ traceId, spanId, traceFlags, traceState }: SpanContext): TraceHeaders {
  const traceparent = `00-${traceId}-${spanId}-${(traceFlags & 0xff).toString(16).padStart(2, '0')}`;
  const tracestate = traceState?.serialize();
  return tracestate === undefined || tracestate === '' ? { traceparent } : { traceparent, tracestate };
}

/** The context that headers tell of; undefined for what is none. Later versions of the header are read as far as known. */
export function contextOf({ traceparent, tracestate }: Partial<TraceHeaders>): SpanContext | undefined {
  if (typeof traceparent !== 'string' || traceparent.length > 256) return undefined;
  const [, version, traceId = '', spanId = '', flags = '', rest] = TRACEPARENT.exec(traceparent) ?? [];
  if (version === undefined || version === 'ff' || (version === '00' && rest !== undefined)) return undefined;
  const traceFlags = Number.parseInt(flags, 16);
  const usable = typeof tracestate === 'string' && tracestate !== '' && tracestate.length <= MAX_TRACESTATE;
  const state = usable ? { traceState: createTraceState(tracestate) } : {};
  const context: SpanContext = { traceId, spanId, traceFlags, isRemote: true, ...state };
  return isSpanContextValid(context) ? context : undefined;
}
