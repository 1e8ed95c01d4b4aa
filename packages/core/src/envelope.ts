import { TierkitError } from './errors.ts';

/** What a stored entry says besides its payload. The buffers are views of the bytes that were parsed. */
export interface Envelope {
  /** When the entry ends, in milliseconds since 1970 by the Redis server's clock. */
  readonly expiresAtMs: number;
  /** Until when it is fresh, by the same clock; from then to its end it may only be served as stale. */
  readonly freshUntilMs: number;
  /** How the payload was written: a sum of {@link PAYLOAD_COMPRESSED} and {@link PAYLOAD_ENCRYPTED}. */
  readonly flags: number;
  /** The 8 bytes of the scope's generation under which the entry was written. */
  readonly generation: Buffer;
  readonly meta: Buffer;
  readonly payload: Buffer;
}

export interface EnvelopeFields {
  readonly expiresAtMs: number;
  readonly freshUntilMs: number;
  /** @default 0 */
  readonly flags?: number;
  /** Exactly 8 bytes. */
  readonly generation: Buffer;
  /** At most 65,535 bytes. @default empty */
  readonly meta?: Buffer;
}

/** Bytes before `meta`: the length of an envelope whose meta and payload are empty. */
export const ENVELOPE_HEADER_BYTES = 29;

/** The layout that is written, and the only one that is read. */
export const ENVELOPE_VERSION = 1;
/** Flag: the payload is compressed. */
export const PAYLOAD_COMPRESSED = 1;
/** Flag: the payload is encrypted, after it was compressed if it was. */
export const PAYLOAD_ENCRYPTED = 2;

const MAGIC = 0xc1;
const KNOWN_FLAGS = PAYLOAD_COMPRESSED | PAYLOAD_ENCRYPTED;
const GENERATION_AT = 19;
const META_LENGTH_AT = 27;
const GENERATION_BYTES = META_LENGTH_AT - GENERATION_AT;
const MAX_META_BYTES = 0xffff;

/**
 * One entry as it is stored in Redis; all numbers are big-endian.
 *
 * | at  | bytes | field        | value                                                 |
 * | --- | ----- | ------------ | ----------------------------------------------------- |
 * | 0   | 1     | magic        | `0xC1`, a byte that no msgpack value begins with      |
 * | 1   | 1     | version      | 1                                                     |
 * | 2   | 1     | flags        | 1 compressed, 2 encrypted; other bits are reserved    |
 * | 3   | 8     | expiresAtMs  | float64, milliseconds since 1970, server's clock      |
 * | 11  | 8     | freshUntilMs | float64, the same                                     |
 * | 19  | 8     | generation   | opaque                                                |
 * | 27  | 2     | metaLength   | uint16                                                |
 * | 29  | ...   | meta         | `metaLength` bytes                                    |
 * | ... | ...   | payload      | the rest                                              |
 *
 * In Lua: `struct.pack('>BBBdd', 0xC1, 1, flags, expiresAtMs, freshUntilMs) .. generation .. struct.pack('>H', #meta) ..
 * meta .. payload`.
 *
 * @throws {TierkitError} `ERR_ENVELOPE_INVALID`: a time that is not finite, a generation that is not 8 bytes, an unknown
 * flag, or too long a meta.
 */
export function encodeEnvelope(fields: EnvelopeFields, payload: Buffer): Buffer {
  const { expiresAtMs, freshUntilMs, flags = 0, generation, meta } = fields;
  const metaLength = meta === undefined ? 0 : meta.length;
  if (!Number.isFinite(expiresAtMs) || !Number.isFinite(freshUntilMs)) throw invalid('times must be finite');
  if ((flags & KNOWN_FLAGS) !== flags) throw invalid('flags must be known ones');
  if (generation.length !== GENERATION_BYTES) throw invalid(`generation must be ${GENERATION_BYTES} bytes`);
  if (metaLength > MAX_META_BYTES) throw invalid(`meta must be at most ${MAX_META_BYTES} bytes`);

  const bytes = Buffer.allocUnsafe(ENVELOPE_HEADER_BYTES + metaLength + payload.length);
  bytes[0] = MAGIC;
  bytes[1] = ENVELOPE_VERSION;
  bytes[2] = flags;
  bytes.writeDoubleBE(expiresAtMs, 3);
  bytes.writeDoubleBE(freshUntilMs, 11);
  bytes.set(generation, GENERATION_AT);
  bytes.writeUInt16BE(metaLength, META_LENGTH_AT);
  if (meta !== undefined) bytes.set(meta, ENVELOPE_HEADER_BYTES);
  bytes.set(payload, ENVELOPE_HEADER_BYTES + metaLength);
  return bytes;
}

/**
 * Reads what {@link encodeEnvelope} wrote, without copying and without ever throwing.
 *
 * @returns `'unknown'` for an envelope of another version or with unknown flags, which its reader leaves alone;
 * `'corrupt'` for anything else that is not an envelope.
 */
export function parseEnvelope(bytes: Buffer): Envelope | 'unknown' | 'corrupt' {
  if (bytes.length < 3 || bytes[0] !== MAGIC) return 'corrupt';
  const flags = bytes[2] ?? 0;
  if (bytes[1] !== ENVELOPE_VERSION || flags > KNOWN_FLAGS) return 'unknown';
  if (bytes.length < ENVELOPE_HEADER_BYTES) return 'corrupt';
  const expiresAtMs = bytes.readDoubleBE(3);
  const freshUntilMs = bytes.readDoubleBE(11);
  if (!Number.isFinite(expiresAtMs) || !Number.isFinite(freshUntilMs)) return 'corrupt';
  const payloadAt = ENVELOPE_HEADER_BYTES + bytes.readUInt16BE(META_LENGTH_AT);
  if (payloadAt > bytes.length) return 'corrupt';
  return {
    expiresAtMs,
    freshUntilMs,
    flags,
    generation: bytes.subarray(GENERATION_AT, META_LENGTH_AT),
    meta: bytes.subarray(ENVELOPE_HEADER_BYTES, payloadAt),
    payload: bytes.subarray(payloadAt),
  };
}

function invalid(rule: string): TierkitError<'ERR_ENVELOPE_INVALID'> {
  return new TierkitError('ERR_ENVELOPE_INVALID', rule);
}
