import { binaryBytes, binaryKind, binaryValue } from './binary.ts';
import { needsTag } from './inspect-value.ts';

/**
 * What msgpack lacks is an object with one key that begins with NUL. A key of the user's that begins so, or that msgpack
 * would change, is escaped behind U+0001. So no value of the user's looks like a tag.
 */
const UNDEFINED = '\0u';
const MINUS_ZERO = '\0z';
const BIGINT = '\0i';
const TEXT = '\0s';
const DATE = '\0d';
const BINARY = '\0b';
const MAP = '\0m';
const SET = '\0e';
const NULL_RECORD = '\0n';
const ESCAPED_KEY = '\u0001s';
/** Followed by the code units in hex: UTF-8 has no halves of surrogate pairs. */
const ESCAPED_HEX_KEY = '\u0001h';

/** Levels of the encoding for `depth` levels of the value: a tag and its list each, and a binary at the innermost. */
export function taggedDepth(depth: number): number {
  return 2 * depth + 2;
}

/** A copy of a value that passed inspection, made of nothing but what msgpack can carry. */
export function toTagged(value: unknown): unknown {
  switch (typeof value) {
    case 'undefined':
      return { [UNDEFINED]: null };
    case 'bigint':
      return { [BIGINT]: value.toString(16) };
    case 'number':
      return Object.is(value, -0) ? { [MINUS_ZERO]: null } : value;
    case 'string':
      return value.isWellFormed() ? value : { [TEXT]: Buffer.from(value, 'utf16le') };
    case 'object':
      return value === null ? null : containerToTagged(value);
    case 'boolean':
    case 'function':
    case 'symbol':
      return value;
  }
  return value;
}

function containerToTagged(value: object): unknown {
  if (Array.isArray(value)) return value.map(toTagged);
  if (value instanceof Map) return { [MAP]: [...value].flatMap(([key, item]) => [toTagged(key), toTagged(item)]) };
  if (value instanceof Set) return { [SET]: Array.from(value, toTagged) };
  if (value instanceof Date) return { [DATE]: value.getTime() };
  const kind = binaryKind(value);
  if (kind !== undefined) return { [BINARY]: [kind, binaryBytes(value)] };
  return recordToTagged(value);
}

function recordToTagged(value: object): object {
  const record: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) record[needsEscape(key) ? escapeKey(key) : key] = toTagged(item);
  return Object.getPrototypeOf(value) === null ? { [NULL_RECORD]: record } : record;
}

function needsEscape(key: string): boolean {
  return key.charCodeAt(0) < 2 || needsTag(key);
}

function escapeKey(key: string): string {
  return key.isWellFormed() ? ESCAPED_KEY + key : ESCAPED_HEX_KEY + Buffer.from(key, 'utf16le').toString('hex');
}

function unescapeKey(escaped: string): string {
  const key = escaped.startsWith(ESCAPED_HEX_KEY)
    ? Buffer.from(escaped.slice(ESCAPED_HEX_KEY.length), 'hex').toString('utf16le')
    : escaped.slice(ESCAPED_KEY.length);
  if (!needsEscape(key) || escapeKey(key) !== escaped) throw malformed();
  return key;
}

/**
 * The value that {@link toTagged} was given. Arrays and objects without a tag are changed in place.
 *
 * @throws {TypeError} An unknown or malformed tag.
 */
export function fromTagged(wire: unknown): unknown {
  if (typeof wire !== 'object' || wire === null) return wire;
  if (Array.isArray(wire)) {
    for (let i = 0; i < wire.length; i++) {
      const item: unknown = wire[i];
      if (typeof item === 'object' && item !== null) wire[i] = fromTagged(item);
    }
    return wire;
  }
  if (ArrayBuffer.isView(wire)) throw malformed();
  const record = wire as Record<string, unknown>;
  let escaped = false;
  for (const key in record) {
    const first = key.charCodeAt(0);
    if (first === 0) return fromTag(key, record);
    if (first === 1) escaped = true;
    const item = record[key];
    if (typeof item === 'object' && item !== null) record[key] = fromTagged(item);
  }
  return escaped ? unescapeKeys(record) : record;
}

/** A new object, since the order of keys is part of the value. */
function unescapeKeys(record: Readonly<Record<string, unknown>>): object {
  const copy = {};
  for (const [key, value] of Object.entries(record)) {
    // Assignment would call the setter of __proto__.
    Object.defineProperty(copy, key.charCodeAt(0) === 1 ? unescapeKey(key) : key, {
      value,
      configurable: true,
      enumerable: true,
      writable: true,
    });
  }
  return copy;
}

function fromTag(tag: string, record: Record<string, unknown>): unknown {
  if (Object.keys(record).length !== 1) throw malformed();
  const content = record[tag];
  switch (tag) {
    case UNDEFINED:
      return undefined;
    case MINUS_ZERO:
      return -0;
    case BIGINT:
      return toBigInt(content);
    case TEXT:
      if (!Buffer.isBuffer(content)) throw malformed();
      return content.toString('utf16le');
    case DATE:
      if (typeof content !== 'number') throw malformed();
      return new Date(content);
    case BINARY:
      return toBinary(content);
    case MAP:
      return toMap(content);
    case SET:
      return new Set(toList(content));
    case NULL_RECORD:
      return toNullRecord(content);
    default:
      throw malformed();
  }
}

function toBigInt(content: unknown): bigint {
  if (typeof content !== 'string' || !/^-?[\da-f]+$/.test(content)) throw malformed();
  return content.startsWith('-') ? -BigInt(`0x${content.slice(1)}`) : BigInt(`0x${content}`);
}

function toBinary(content: unknown): object {
  if (!Array.isArray(content) || content.length !== 2 || !Buffer.isBuffer(content[1])) throw malformed();
  const value = binaryValue(content[0], content[1]);
  if (value === undefined) throw malformed();
  return value;
}

function toList(content: unknown): unknown[] {
  if (!Array.isArray(content)) throw malformed();
  return fromTagged(content) as unknown[];
}

function toMap(content: unknown): Map<unknown, unknown> {
  const pairs = toList(content);
  if (pairs.length % 2 !== 0) throw malformed();
  const map = new Map<unknown, unknown>();
  for (let i = 0; i < pairs.length; i += 2) map.set(pairs[i], pairs[i + 1]);
  return map;
}

function toNullRecord(content: unknown): object {
  const record = fromTagged(content);
  if (typeof record !== 'object' || record === null || Object.getPrototypeOf(record) !== Object.prototype) {
    throw malformed();
  }
  // Rather than another copy: one with keys that are indexes may be large.
  return Object.setPrototypeOf(record, null) as object;
}

function malformed(): TypeError {
  return new TypeError('malformed tag');
}
