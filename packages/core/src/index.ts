export { LONGEST_TIMER_MS, systemClock, type Clock, type ClockTimer } from './clock.ts';
export { createCodec, type Codec, type CodecLimits } from './codec.ts';
export { parseDuration, type Duration, type DurationBounds } from './duration.ts';
export {
  encodeEnvelope,
  ENVELOPE_HEADER_BYTES,
  parseEnvelope,
  PAYLOAD_COMPRESSED,
  PAYLOAD_ENCRYPTED,
  type Envelope,
  type EnvelopeFields,
} from './envelope.ts';
export { TierkitError, type TierkitErrorOptions } from './errors.ts';
export { copyValue, freezeDeep } from './freeze.ts';
export type { Frozen } from './frozen.ts';
export { givenKey, givenSegment } from './given-key.ts';
export { decodeKey, encodeKey, encodeSegment, isHashedKey, type Key } from './key.ts';
export type { KeyringOptions } from './keyring.ts';
export { createSealer, type Sealed, type Sealer, type SealerOptions } from './sealer.ts';
export { undisturbed } from './undisturbed.ts';
export { safeLogger, silentLogger, type Logger } from './logger.ts';
export { compilePattern, type KeyPattern } from './pattern.ts';
export { combineTelemetry } from './telemetry/combine-telemetry.ts';
export { observeOrUndo } from './telemetry/observe-or-undo.ts';
export { EventCounter } from './telemetry/event-counter.ts';
export { discloseKey, type KeyDisclosure } from './telemetry/key-disclosure.ts';
export type {
  Attributes,
  Durations,
  MetricDefinition,
  MetricSource,
  Observe,
  SpanDefinition,
  SpanDetails,
  Spans,
  Telemetry,
  TraceHeaders,
} from './telemetry/telemetry.ts';
export { errorType, TimedOperation, type TimedOperationOptions } from './telemetry/timed-operation.ts';
