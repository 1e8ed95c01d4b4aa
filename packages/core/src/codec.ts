import { Packr, RESERVE_START_SPACE, RESET_BUFFER_MODE } from 'msgpackr';
import { TierkitError } from './errors.ts';
import { inspectValue, type ValueLimits } from './inspect-value.ts';
import { createPrescan, type Prescan } from './prescan.ts';
import { fromTagged, taggedDepth, toTagged } from './tagged-value.ts';

/** Values to bytes and back, so that what comes back is equal in value and in type to what went in. */
export interface Codec {
  /**
   * The value as bytes that the caller owns and that {@link Codec.decode} with the same limits reads.
   *
   * @throws {TierkitError} `ERR_VALUE_UNSUPPORTED`: a part would not come back as it is; the message has its path.
   * `ERR_VALUE_TOO_LARGE`: over a limit.
   */
  encode(value: unknown): Buffer;
  /**
   * A new value that shares nothing with `bytes`. Whatever the bytes are, memory and time stay bounded by the limits.
   *
   * @throws {TierkitError} `ERR_VALUE_CORRUPT`: not what {@link Codec.encode} writes, or over a limit.
   */
  decode(bytes: Buffer): unknown;
}

export interface CodecLimits {
  /** Longest encoding, in bytes; at most 512 MiB. @default 8 MiB */
  readonly maxBytes?: number;
  /** Levels of nesting, 1 for a flat object; at most 512. @default 64 */
  readonly maxDepth?: number;
  /**
   * Parts of a value: each item, property and key counts 1, a key not seen before in a large value and a Buffer up to
   * 16 more. Decoding costs about 100 ns and 128 bytes of heap for each at worst. @default 500,000
   */
  readonly maxNodes?: number;
}

const MIB = 1_048_576;
/** Begins a value with tags; msgpack never uses it, so a plain value is plain msgpack. */
const TAGGED = 0xc1;
const AFTER_TAGGED = { start: 1 };
/** msgpackr keeps the buffer of its largest encoding for ever; above this it is replaced. */
const KEPT_BUFFER_BYTES = 262_144;
const FRESH_BUFFER_BYTES = 8192;

/**
 * A codec on msgpack. It keeps all of JSON, undefined, -0, NaN, infinities, bigint, Date, Map, Set, Buffer, ArrayBuffer
 * and typed arrays, objects without prototype, any string; it refuses what it cannot bring back.
 *
 * @throws {TierkitError} `ERR_CODEC_LIMIT`: a limit that is not an integer in its range.
 */
export function createCodec(limits: CodecLimits = {}): Codec {
  const { maxBytes, maxDepth, maxNodes } = checkedLimits(limits);
  const deepest = taggedDepth(maxDepth);
  const prescan = createPrescan({ maxDepth: deepest, maxNodes });
  const packr = new Packr({
    useRecords: false,
    mapsAsObjects: true,
    structuredClone: false,
    moreTypes: false,
    copyBuffers: true,
    variableMapSize: true,
  });

  const scan = (bytes: Uint8Array): ReturnType<Prescan> =>
    bytes[0] === TAGGED ? prescan(bytes, 1, deepest) : prescan(bytes, 0, maxDepth);

  const pack = (value: unknown): Buffer => {
    try {
      if (inspectValue(value, { maxBytes, maxDepth, maxNodes }) === 'plain')
        return packr.pack(value, RESET_BUFFER_MODE);
      const tagged = packr.pack(toTagged(value), RESET_BUFFER_MODE | RESERVE_START_SPACE | 1);
      tagged[0] = TAGGED;
      return tagged;
    } catch (error) {
      if (error instanceof TierkitError) throw error;
      // A revoked proxy, a detached buffer, an accessor that answers something else each time.
      throw new TierkitError('ERR_VALUE_UNSUPPORTED', 'a part of the value cannot be read', { cause: error });
    }
  };

  return {
    encode(value) {
      const shared = pack(value);
      const bytes = shared.length;
      const owned = bytes <= maxBytes ? Buffer.from(shared) : undefined;
      if (bytes > KEPT_BUFFER_BYTES) packr.useBuffer(Buffer.allocUnsafeSlow(FRESH_BUFFER_BYTES));
      if (owned === undefined) throw tooLarge(`takes ${bytes} bytes, over the limit of ${maxBytes}`, bytes);
      const verdict = scan(owned);
      if (verdict === 'sound') return owned;
      if (verdict === 'too-many-nodes') throw tooLarge(`has too many parts for maxNodes, ${maxNodes}`, bytes);
      throw new TierkitError('ERR_VALUE_UNSUPPORTED', 'an extension of msgpackr changes how the value is written');
    },

    decode(bytes) {
      if (bytes.length <= maxBytes && scan(bytes) === 'sound') {
        try {
          return bytes[0] === TAGGED ? fromTagged(packr.unpack(bytes, AFTER_TAGGED)) : packr.unpack(bytes);
        } catch {
          // The cause would quote the value.
        }
      }
      throw new TierkitError('ERR_VALUE_CORRUPT', 'the bytes are not a value that this codec writes', {
        details: { bytes: bytes.length },
      });
    },
  };
}

function tooLarge(rule: string, bytes: number): TierkitError<'ERR_VALUE_TOO_LARGE'> {
  return new TierkitError('ERR_VALUE_TOO_LARGE', `the value ${rule}`, { details: { bytes } });
}

function checkedLimits(limits: CodecLimits): ValueLimits {
  return {
    maxBytes: checkedLimit('maxBytes', limits.maxBytes ?? 8 * MIB, 512 * MIB),
    maxDepth: checkedLimit('maxDepth', limits.maxDepth ?? 64, 512),
    maxNodes: checkedLimit('maxNodes', limits.maxNodes ?? 500_000, 2 ** 30),
  };
}

function checkedLimit(option: string, value: number, max: number): number {
  if (Number.isInteger(value) && value >= 1 && value <= max) return value;
  throw new TierkitError('ERR_CODEC_LIMIT', `${option} must be an integer from 1 to ${max}`, { details: { option } });
}
