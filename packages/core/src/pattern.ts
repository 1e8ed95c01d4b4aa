import { TierkitError } from './errors.ts';
import { encodeKey, percentEncode } from './key.ts';

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
const ANY = '*';
const ONE = '?';

/**
 * Compiles a pattern in which `*` stands for any characters and `?` for one character of the key as the user wrote it,
 * a space, `é` or an emoji as much as a letter.
 *
 * `\*`, `\?` and `\\` stand for the character itself; every other character, brackets and braces too, is literal. A
 * segment's `:` is no boundary: `*` crosses it. A key that was shortened to a hash matches by its readable beginning
 * only. Matching takes at worst as many steps as the product of both lengths.
 *
 * @throws {TierkitError} `ERR_PATTERN_INVALID`: not a string, empty, longer than 1,024 characters, more than 16 `*` or
 * 16 `?`, or half a surrogate pair.
 */
export function compilePattern(pattern: string): KeyPattern {
  const parts = parse(pattern);
  const [only] = parts;
  if (parts.length === 1 && typeof only === 'string') {
    const encoded = encodeKey(only);
    return { encoded, literal: true, matches: (key) => key === encoded };
  }
  const tokens = parts.flatMap((part) =>
    typeof part === 'string'
      ? percentEncode(part)
      : Array<string>(part.ones)
          .fill(ONE)
          .concat(part.any ? ANY : []),
  );
  return {
    // A character may take several bytes, so that `?` is one byte or more.
    encoded: parts
      .map((part) => (typeof part === 'string' ? percentEncode(part) : ONE.repeat(part.ones) + ANY))
      .join(''),
    literal: false,
    matches: (key) => matchTokens(tokens, key),
  };
}

/** A run of wildcards, in which their order means nothing. */
interface Wildcards {
  ones: number;
  any: boolean;
}

/** Literal text, unescaped, and runs of wildcards by turns. */
function parse(pattern: string): (string | Wildcards)[] {
  if (typeof pattern !== 'string' || pattern.length === 0) throw invalid('must be a string that is not empty');
  if (pattern.length > MAX_LENGTH) throw invalid(`must have at most ${MAX_LENGTH} characters`);
  if (!pattern.isWellFormed()) throw invalid('holds half a surrogate pair');
  const parts: (string | Wildcards)[] = [];
  let anys = 0;
  let ones = 0;
  for (const [token] of pattern.matchAll(/\\[*?\\]|[^]/g)) {
    const last = parts.at(-1);
    if (token === ANY || token === ONE) {
      if (token === ANY) anys++;
      else ones++;
      const run: Wildcards = typeof last === 'object' ? last : { ones: 0, any: false };
      if (run !== last) parts.push(run);
      if (token === ANY) run.any = true;
      else run.ones++;
    } else {
      const text = token.length === 2 ? token.slice(1) : token;
      if (typeof last === 'string') parts[parts.length - 1] = last + text;
      else parts.push(text);
    }
  }
  if (anys > MAX_WILDCARDS || ones > MAX_WILDCARDS) {
    throw invalid(`must have at most ${MAX_WILDCARDS} "*" and ${MAX_WILDCARDS} "?"`);
  }
  return parts;
}

/** Greedy with one way back, to the latest `*`: an earlier one could only repeat its work. */
function matchTokens(tokens: readonly string[], key: string): boolean {
  let token = 0;
  let position = 0;
  let starToken = -1;
  let starPosition = 0;
  for (;;) {
    const expected = tokens[token];
    if (expected === ANY) {
      if (token === tokens.length - 1) return true;
      starToken = token++;
      starPosition = position;
    } else if (expected === ONE && position < key.length) {
      position = afterCharacter(key, position);
      token++;
    } else if (expected !== undefined && expected !== ONE && key.startsWith(expected, position)) {
      position += expected.length;
      token++;
    } else if (expected === undefined && position === key.length) {
      return true;
    } else {
      if (starToken < 0 || starPosition >= key.length) return false;
      starPosition = afterCharacter(key, starPosition);
      position = starPosition;
      token = starToken + 1;
    }
  }
}

/** Behind the character that begins at `position`: percent sequences of UTF-8 and surrogate pairs are one. */
function afterCharacter(key: string, position: number): number {
  if (key[position] !== '%') return position + (key.codePointAt(position)! > 0xffff ? 2 : 1);
  const lead = Number.parseInt(key.slice(position + 1, position + 3), 16);
  if (Number.isNaN(lead)) return position + 1;
  return Math.min(position + (lead < 0x80 ? 3 : lead < 0xe0 ? 6 : 9), key.length);
}

function invalid(rule: string): TierkitError<'ERR_PATTERN_INVALID'> {
  return new TierkitError('ERR_PATTERN_INVALID', `pattern ${rule}`);
}
