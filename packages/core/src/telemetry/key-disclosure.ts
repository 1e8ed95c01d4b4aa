import { createHash } from 'node:crypto';

/**
 * How keys appear in logs and spans: as they are, as a hash, or not at all; or what a function makes of them, an HMAC
 * for example. A hash keeps keys apart and is the same everywhere, so who can guess a key can recognise its hash.
 */
export type KeyDisclosure = 'plain' | 'hashed' | 'omitted' | ((key: string) => string);

/** What of a key may be shown; undefined for nothing. The hash is the first 16 hex digits of SHA-256. */
export function discloseKey(disclosure: KeyDisclosure, key: string): string | undefined {
  if (disclosure === 'plain') return key;
  if (disclosure === 'hashed') return createHash('sha256').update(key).digest('hex').slice(0, 16);
  return disclosure === 'omitted' ? undefined : disclosure(key);
}
