import { decodeKey, encodeKey, encodeSegment, isHashedKey } from '@tierkit/core';

/** A hash behind what an encoded key may begin with. */
const HASHED = /^[^{}*?[\]\\\s\u0000-\u001f\u007f-\u009f]{1,200}%~[\w-]{43}$/;

/**
 * A key as it stands in Redis, from what an operator gave: a key as it was listed, or the text that `set` was given.
 *
 * @throws {TierkitError} `ERR_KEY_INVALID`
 */
export function givenKey(given: string): string {
  return isEncoded(given) ? given : encodeKey(given);
}

/** As {@link givenKey}, of a scope's id. */
export function givenId(given: string, tier: string): string {
  return isEncoded(given) && !given.includes(':') ? given : encodeSegment(given, `${tier} id`);
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
