import type { BusCodec } from './event.ts';
import { busError } from '../errors.ts';

/** What travels: an event without what the channel already tells. */
export interface Envelope {
  readonly id: string;
  readonly time: number;
  readonly source: string;
  readonly traceparent?: string;
  readonly data: unknown;
}

const MAX_HEADER_LENGTH = 512;

/** @throws {TierkitError} `ERR_BUS_PAYLOAD`: it cannot be encoded, or is too large */
export function encodeEnvelope(codec: BusCodec, envelope: Envelope, maxBytes: number): Buffer | string {
  if (envelope.data === undefined) throw busError('ERR_BUS_PAYLOAD', 'undefined cannot be published; null can');
  let encoded: Buffer | string;
  try {
    encoded = codec.encode(envelope as unknown as Readonly<Record<string, unknown>>);
  } catch (cause) {
    throw busError('ERR_BUS_PAYLOAD', 'the codec cannot encode the data', { cause });
  }
  if (typeof encoded !== 'string' && !Buffer.isBuffer(encoded))
    throw busError('ERR_BUS_PAYLOAD', 'the codec gave neither text nor a Buffer');
  const bytes = typeof encoded === 'string' ? encodedBytes(encoded, maxBytes) : encoded.length;
  if (bytes > maxBytes) {
    const message = `the event has ${bytes} bytes, and ${maxBytes} are allowed`;
    throw busError('ERR_BUS_PAYLOAD', message, { details: { bytes, maxBytes } });
  }
  return encoded;
}

/** Three bytes for a UTF-16 unit at the most: short texts need not be counted. */
function encodedBytes(text: string, maxBytes: number): number {
  return text.length * 3 <= maxBytes ? text.length : Buffer.byteLength(text);
}

/** The envelope in these bytes; undefined if they hold none. */
export function decodeEnvelope(codec: BusCodec, bytes: Buffer, maxBytes: number): Envelope | undefined {
  if (bytes.length > maxBytes) return undefined;
  try {
    const value = codec.decode(bytes);
    return isEnvelope(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isEnvelope(value: unknown): value is Envelope {
  if (typeof value !== 'object' || value === null) return false;
  const { id, time, source, traceparent, data } = value as Record<keyof Envelope, unknown>;
  return (
    isHeader(id) &&
    isHeader(source) &&
    typeof time === 'number' &&
    Number.isFinite(time) &&
    (traceparent === undefined || isHeader(traceparent)) &&
    data !== undefined
  );
}

/** Whether receivers take it as an id, a source or a trace context. */
export function isHeader(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= MAX_HEADER_LENGTH;
}
