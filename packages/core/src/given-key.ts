import { decodeKey, encodeKey, encodeSegment, isHashedKey } from './key.ts';

/** A hash behind what an encoded key may begin with. */
const HASHED = /^[^{}*?[\]\\\s\u0000-\u001f\u007f-\u009f]{1,200}%~[\w-]{43}$/;

/**
 * A key as it stands in Redis, from what an operator gave: a key as a listing shows it, or the text that a service uses.
 *
 * @throws {TierkitError} `ERR_KEY_INVALID`
 */
export function givenKey(given: string): string {
  return isEncoded(given) ? given : encodeKey(given);
}

/** As {@link givenKey}, of one segment, an id for example. @param what What it is to the operator, for the message. */
export function givenSegment(given: string, what: string): string {
  return isEncoded(given) && !given.includes(':') ? given : encodeSegment(given, what);
}

function isEncoded(given: string): boolean {
  if (typeof given !== 'string') return false;
  // What was hashed cannot be decoded, so that nothing but its form tells that no name of ours hides in it.
  if (isHashedKey(given)) return HASHED.test(given);
  try {
    decodeKey(given);
    return true;
  } catch {
    return false;
  }
}
