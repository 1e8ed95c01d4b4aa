import { createHash } from 'node:crypto';
import { TierkitError } from './errors.ts';

/**
 * A key as users give it: a string, in which `:` separates segments as written, or a list of segments that are encoded
 * one by one, so that any text may be a segment. `'a:b'` and `['a', 'b']` are the same key; `['a:b']` is another.
 */
export type Key = string | readonly (string | number)[];

const MAX_ENCODED_BYTES = 512;
const READABLE_PREFIX_LENGTH = 64;
/** Never written by percent-encoding, which puts two hex digits behind every `%`. */
const HASH_MARK = '%~';
const HASHED = /%~[\w-]{43}$/;

// Printable ASCII without % * ? [ \ ] { }: such a key is its own encoding.
const NOT_PLAIN = /[^!-$&-)+->@-Z^-z|~]/;
const NOT_PLAIN_SEGMENT = /[^!-$&-)+-9;->@-Z^-z|~]/;
// eslint-disable-next-line no-misleading-character-class -- a class of single code units
const TO_ENCODE = /[%{}*?[\]\\\s\u0000-\u001f\u007f-\u009f]/g;
const TO_ENCODE_IN_SEGMENT = /[:%{}*?[\]\\\s\u0000-\u001f\u007f-\u009f]/g;

/**
 * The key as it stands in Redis behind its scope's prefix: never empty, at most 512 bytes, free of `{ } * ? [ ] \`,
 * whitespace and control characters. Distinct keys have distinct encodings. Those characters and `%` (in a list also
 * `:`) are percent-encoded as UTF-8; other text stays readable. Longer encodings become their first characters, `%~`
 * and a SHA-256 of the whole.
 *
 * @throws {TierkitError} `ERR_KEY_INVALID`: empty, not a string or list of strings and finite numbers, or half a
 * surrogate pair.
 */
export function encodeKey(key: Key): string {
  if (typeof key === 'string') {
    if (key.length <= MAX_ENCODED_BYTES && key.length > 0 && !NOT_PLAIN.test(key)) return key;
    return shorten(encodeText(key, TO_ENCODE, 'key'));
  }
  if (!Array.isArray(key)) throw invalid('key', 'must be a string or a list of strings and numbers');
  const segments: readonly (string | number)[] = key;
  if (segments.length === 0) throw invalid('key', 'must have at least one segment');
  let encoded = rawSegment(segments[0], 'key segment');
  for (let i = 1; i < segments.length; i++) encoded += `:${rawSegment(segments[i], 'key segment')}`;
  return encoded.length <= MAX_ENCODED_BYTES / 3 ? encoded : shorten(encoded);
}

/**
 * One segment of a key, an id for example, encoded like a segment of a list in {@link encodeKey}: it holds no `:`.
 *
 * @param what What the segment is to the user, for the message.
 * @throws {TierkitError} `ERR_KEY_INVALID`: empty, neither string nor finite number, or half a surrogate pair.
 */
export function encodeSegment(segment: string | number, what: string): string {
  const encoded = rawSegment(segment, what);
  return encoded.length <= MAX_ENCODED_BYTES / 3 ? encoded : shorten(encoded);
}

/**
 * The key that {@link encodeKey} turns into `encoded`: a string, or a list where a segment holds `:`. An encoding that
 * was shortened to a hash comes back as it is; {@link isHashedKey} tells.
 *
 * @throws {TierkitError} `ERR_KEY_INVALID`: `encodeKey` never returns this text.
 */
export function decodeKey(encoded: string): Key {
  if (isHashedKey(encoded)) return encoded;
  const segments = encoded.split(':').map(decodeSegment);
  const key = segments.some((segment) => segment.includes(':')) ? segments : segments.join(':');
  if (encodeKey(key) !== encoded) throw invalid('encoded key', 'is not in the form that encoding gives');
  return key;
}

/** Whether an encoded key was too long and ends in a hash, so that {@link decodeKey} cannot give the original. */
export function isHashedKey(encoded: string): boolean {
  return HASHED.test(encoded);
}

function rawSegment(segment: unknown, what: string): string {
  if (typeof segment === 'string') {
    if (segment.length > 0 && !NOT_PLAIN_SEGMENT.test(segment)) return segment;
    return encodeText(segment, TO_ENCODE_IN_SEGMENT, what);
  }
  if (typeof segment === 'number' && Number.isFinite(segment)) return String(segment);
  throw invalid(what, 'must be a string or a finite number');
}

function encodeText(text: string, toEncode: RegExp, what: string): string {
  if (text.length === 0) throw invalid(what, 'must not be empty');
  if (!text.isWellFormed()) throw invalid(what, 'holds half a surrogate pair');
  return percentEncode(text, toEncode);
}

/** Well-formed text with what may not stand in a key encoded, and nothing else. */
export function percentEncode(text: string, toEncode: RegExp = TO_ENCODE): string {
  return text.replace(toEncode, percentEncodeChar);
}

function percentEncodeChar(char: string): string {
  const code = char.charCodeAt(0);
  if (code > 0x7f) return encodeURIComponent(char);
  return `%${code.toString(16).toUpperCase().padStart(2, '0')}`;
}

function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch (cause) {
    throw invalid('encoded key', 'has a broken percent sequence', cause);
  }
}

function shorten(encoded: string): string {
  if (Buffer.byteLength(encoded) <= MAX_ENCODED_BYTES) return encoded;
  // Not within a percent sequence or a surrogate pair.
  const prefix = encoded.slice(0, READABLE_PREFIX_LENGTH).replace(/(?:%[\dA-F]?|[\uD800-\uDBFF])$/, '');
  return `${prefix}${HASH_MARK}${createHash('sha256').update(encoded).digest('base64url')}`;
}

function invalid(what: string, rule: string, cause?: unknown): TierkitError<'ERR_KEY_INVALID'> {
  return new TierkitError('ERR_KEY_INVALID', `${what} ${rule}`, { cause });
}
