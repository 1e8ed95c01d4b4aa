import { TierkitError, type Key } from '@tierkit/core';
import { createHash } from 'node:crypto';

/**
 * The key of a call by its arguments: the prefix and a SHA-256 of them. Arguments of different types or contents have
 * different keys; the order of properties, and of a Set or Map, does not matter. Trailing undefined arguments count as
 * left out.
 *
 * @throws {TierkitError} `ERR_KEY_INVALID`: an argument is or holds a function, a symbol, a cycle or an instance of a class,
 * whose identity a hash would not see.
 */
export function callKey(prefix: string, args: readonly unknown[]): Key {
  let length = args.length;
  while (length > 0 && args[length - 1] === undefined) length--;
  const text = args.slice(0, length).map((arg, index) => canonical(arg, index + 1, []));
  return `${prefix}:${createHash('sha256').update(text.join()).digest('base64url')}`;
}

/** A text that no other value has: what is the user's own text stands in quotes and escaped. */
function canonical(value: unknown, argument: number, within: readonly object[]): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'function' || typeof value === 'symbol') throw unhashable(argument, `a ${typeof value}`);
  if (typeof value !== 'object' || value === null) return Object.is(value, -0) ? '-0' : String(value);
  if (within.includes(value)) throw unhashable(argument, 'a cycle');
  const path = [...within, value];
  const text = (part: unknown): string => canonical(part, argument, path);
  if (Array.isArray(value)) return `[${Array.from(value, text).join()}]`;
  if (value instanceof Date) return `Date(${value.getTime()})`;
  if (value instanceof Set) return `Set(${Array.from(value, text).toSorted().join()})`;
  if (value instanceof Map) return `Map(${Array.from(value, text).toSorted().join()})`;
  if (ArrayBuffer.isView(value)) {
    const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    return `${Object.prototype.toString.call(value)}(${bytes.toString('base64')})`;
  }
  if (value instanceof ArrayBuffer) return `ArrayBuffer(${Buffer.from(value).toString('base64')})`;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) throw unhashable(argument, 'an instance of a class');
  const properties = Object.entries(value).map(([name, part]) => `${JSON.stringify(name)}:${text(part)}`);
  return `{${properties.toSorted().join()}}`;
}

function unhashable(argument: number, what: string): TierkitError {
  const message = `argument ${argument} is or holds ${what}, which no key can be made of: give \`key\``;
  return new TierkitError('ERR_KEY_INVALID', message, { details: { argument } });
}
