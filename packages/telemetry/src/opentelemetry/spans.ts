import {
  discloseKey,
  errorType,
  type KeyDisclosure,
  type SpanDefinition,
  type SpanDetails,
  type Spans,
} from '@tierkit/core';
import {
  context,
  createContextKey,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Attributes as OtelAttributes,
  type Span,
  type Tracer,
} from '@opentelemetry/api';
import { otelAttributes } from './attributes.ts';

/** Where the span of ours is that is going on, if there is one: errors are not noted on somebody else's. */
const OURS = createContextKey('tierkit span');

/**
 * Spans of operations, inside traces that are recorded: what nobody asked for, in the background, begins no trace of its
 * own, and an unsampled request costs one look at its context.
 */
export function createSpans(tracer: Tracer, keys: KeyDisclosure): Spans {
  const attributesOf = attributesPerDefinition();
  const run = <T>(definition: SpanDefinition, work: () => Promise<T>, details?: SpanDetails): Promise<T> => {
    const span = tracer.startSpan(definition.name, { attributes: attributesOf(definition) });
    if (details !== undefined) describe(span, details, keys);
    const within = trace.setSpan(context.active(), span).setValue(OURS, span);
    return context.with(within, work).then(
      (value) => {
        if (definition.resultOf !== undefined) span.setAttribute('tierkit.result', definition.resultOf(value));
        span.end();
        return value;
      },
      (error: unknown) => {
        noteOn(span, error);
        span.setStatus({ code: SpanStatusCode.ERROR });
        span.end();
        throw error;
      },
    );
  };
  return { run, active: () => isTraced(trace.getActiveSpan()) };
}

/** Whether what happens within the span is recorded: here, or where the trace came from. */
function isTraced(span: Span | undefined): boolean {
  if (span === undefined) return false;
  if (span.isRecording()) return true;
  const { isRemote, traceFlags } = span.spanContext();
  return isRemote === true && (traceFlags & TraceFlags.SAMPLED) !== 0;
}

/** Notes an error on the span of ours that is going on. */
export function noteOnActive(error: unknown): void {
  const span = context.active().getValue(OURS) as Span | undefined;
  if (span?.isRecording() === true) noteOn(span, error);
}

/** An error's kind alone: messages may hold keys and values. */
function noteOn(span: Span, error: unknown): void {
  span.setAttribute('error.type', errorType(error));
}

function describe(span: Span, { key, count }: SpanDetails, keys: KeyDisclosure): void {
  if (count !== undefined) span.setAttribute('tierkit.keys', count);
  if (key === undefined) return;
  try {
    const shown = discloseKey(keys, key);
    if (shown !== undefined) span.setAttribute('tierkit.key', shown);
  } catch {
    // The user's own function: a span without a key is better than a read that fails.
  }
}

function attributesPerDefinition(): (definition: SpanDefinition) => OtelAttributes {
  const known = new WeakMap<SpanDefinition, OtelAttributes>();
  return (definition) => {
    let attributes = known.get(definition);
    if (attributes === undefined) known.set(definition, (attributes = otelAttributes(definition.attributes)));
    return attributes;
  };
}
