import { createSealer, TierkitError, type Sealer } from '@tierkit/core';
import { positiveInteger, type CacheOptions } from '../options.ts';

const THRESHOLD_BYTES = 4_096;

/**
 * Checks what the options say of compression and encryption.
 *
 * @returns A function that makes the sealer for a database: what was encrypted for one cannot be read in another.
 * @throws {TierkitError} `ERR_CACHE_OPTIONS`, without any key in it
 */
export function sealing(options: CacheOptions, maxBytes: number): (db: number) => Sealer {
  const { compression = false, encryption: keyring } = options;
  const compressFromBytes =
    compression === false
      ? undefined
      : positiveInteger(compression.threshold, THRESHOLD_BYTES, 'compression.threshold');
  const sealerFor = (db: number): Sealer => createSealer({ maxBytes, compressFromBytes, realm: `db${db}`, keyring });
  try {
    sealerFor(0);
  } catch (error) {
    if (!(error instanceof TierkitError)) throw error;
    const details = { ...error.details, option: 'encryption' };
    throw new TierkitError('ERR_CACHE_OPTIONS', `encryption: ${error.message}`, { details });
  }
  return sealerFor;
}
