import { binaryBytes, binaryKind, binaryValue } from './binary.ts';
import { needsTag } from './inspect-value.ts';

/**
 * What msgpack lacks is an object with one key that begins with NUL; an object of the user's with such a key, or with
 * one that msgpack would change, is a list of its keys and values. So no value of the user's looks like a tag.
 */
const UNDEFINED = '\0u';
const MINUS_ZERO = '\0z';
const BIGINT = '\0i';
const TEXT = '\0s';
const DATE = '\0d';
const BINARY = '\0b';
const MAP = '\0m';
const SET = '\0e';
const RECORD = '\0o';
const NULL_RECORD = '\0n';

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

function recordToTagged(value: object): unknown {
  const entries = Object.entries(value);
  const isNull = Object.getPrototypeOf(value) === null;
  if (isNull || entries.some(([key]) => key.startsWith('\0') || needsTag(key))) {
    return { [isNull ? NULL_RECORD : RECORD]: entries.flatMap(([key, item]) => [toTagged(key), toTagged(item)]) };
  }
  const copy: Record<string, unknown> = {};
  for (const [key, item] of entries) copy[key] = toTagged(item);
  return copy;
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
  for (const key in record) {
    if (key.charCodeAt(0) === 0) return fromTag(key, record);
    const item = record[key];
    if (typeof item === 'object' && item !== null) record[key] = fromTagged(item);
  }
  return record;
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
      return toMap(toPairs(content));
    case SET:
      return new Set(toList(content));
    case RECORD:
      return toRecord({}, toPairs(content));
    case NULL_RECORD:
      return toRecord(Object.create(null) as object, toPairs(content));
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

function toPairs(content: unknown): unknown[] {
  const list = toList(content);
  if (list.length % 2 !== 0) throw malformed();
  return list;
}

function toMap(pairs: readonly unknown[]): Map<unknown, unknown> {
  const map = new Map<unknown, unknown>();
  for (let i = 0; i < pairs.length; i += 2) map.set(pairs[i], pairs[i + 1]);
  return map;
}

function toRecord(record: object, pairs: readonly unknown[]): object {
  for (let i = 0; i < pairs.length; i += 2) {
    const key = pairs[i];
    if (typeof key !== 'string') throw malformed();
    // Assignment would call the setter of __proto__.
    Object.defineProperty(record, key, { value: pairs[i + 1], configurable: true, enumerable: true, writable: true });
  }
  return record;
}

function malformed(): TypeError {
  return new TypeError('malformed tag');
}
