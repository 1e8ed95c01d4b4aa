import { TierkitError } from './errors.ts';
import { encodeKey } from './key.ts';

/** A pattern over keys, made by {@link compilePattern}. */
export interface KeyPattern {
  /**
   * The pattern for Redis's MATCH, to stand behind a literal prefix. Redis compares bytes of the encoded key, so that
   * its answer may hold more keys than match; {@link KeyPattern.matches} tells which do.
   */
  readonly encoded: string;
  /** Whether the pattern has no wildcard; `encoded` is then the one key that matches. */
  readonly literal: boolean;
  /** Whether a key, as `encodeKey` returns it, matches from its beginning to its end. */
  matches(encodedKey: string): boolean;
}

const MAX_LENGTH = 1024;
const MAX_WILDCARDS = 16;

/**
 * Compiles a pattern in which `*` stands for any characters and `?` for one character of the key as the user wrote it,
 * a space, `é` or an emoji as much as a letter.
 *
 * `\*`, `\?` and `\\` stand for the character itself; every other character, brackets and braces too, is literal. A
 * segment's `:` is no boundary: `*` crosses it. A key that was shortened to a hash matches by its readable beginning
 * only. Matching takes time in proportion to the lengths of key and pattern at worst.
 *
 * @throws {TierkitError} `ERR_PATTERN_INVALID`: empty, longer than 1,024 characters, more than 16 `*` or 16 `?`, or
 * half a surrogate pair.
 */
export function compilePattern(pattern: string): KeyPattern {
  const parts = parse(pattern);
  const [only] = parts;
  if (parts.length === 1 && only !== undefined && only !== ANY && only !== ONE) {
    const encoded = encodeKey(decodeLiteral(only));
    return { encoded, literal: true, matches: (key) => key === encoded };
  }
  return {
    // A character may take several bytes, so `?` is at least one byte.
    encoded: parts
      .map((part) => (part === ONE ? '?*' : part))
      .join('')
      .replaceAll(/\*+/g, '*'),
    literal: false,
    matches: (key) => matchParts(parts, key),
  };
}
