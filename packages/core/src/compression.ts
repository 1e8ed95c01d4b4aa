import { brotliCompressSync, brotliDecompressSync, constants, type BrotliOptions } from 'node:zlib';
import { TierkitError } from './errors.ts';

const { BROTLI_PARAM_QUALITY, BROTLI_PARAM_SIZE_HINT } = constants;

interface Decompressed {
  readonly buffer: Buffer;
  readonly engine: { readonly bytesWritten: number };
}

/** Under an eighth less is not worth decompressing it at each read. */
const WORTH_IT = 7 / 8;

/**
 * The bytes in fewer bytes, by brotli at its fastest; undefined when that saves less than an eighth.
 *
 * It holds the thread for about 2 ms per MiB.
 */
export function compress(plain: Buffer): Buffer | undefined {
  const params = { [BROTLI_PARAM_QUALITY]: 1, [BROTLI_PARAM_SIZE_HINT]: plain.length };
  const compressed = brotliCompressSync(plain, { params });
  return compressed.length <= plain.length * WORTH_IT ? compressed : undefined;
}

/**
 * What {@link compress} was given. Whatever the bytes are, it stops once `maxBytes` came out.
 *
 * @throws {TierkitError} `ERR_VALUE_CORRUPT`: not compressed bytes, bytes behind them, or more than `maxBytes` in them.
 */
export function decompress(compressed: Buffer, maxBytes: number): Buffer {
  try {
    // With `info` the result tells how much of the input was used: zlib passes over what follows the end.
    const options: BrotliOptions & { readonly info: true } = { maxOutputLength: maxBytes, info: true };
    const { buffer, engine } = brotliDecompressSync(compressed, options) as unknown as Decompressed;
    if (engine.bytesWritten === compressed.length) return buffer;
  } catch {
    // zlib's messages say no more than the code below.
  }
  throw new TierkitError('ERR_VALUE_CORRUPT', 'the bytes are not a compressed value within the size bound', {
    details: { bytes: compressed.length },
  });
}
