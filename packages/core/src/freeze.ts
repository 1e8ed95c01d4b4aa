import { binaryBytes, binaryKind, binaryValue } from './binary.ts';
import { TierkitError } from './errors.ts';

/**
 * Freezes the objects and arrays of a value in place, at every level.
 *
 * @param value One that the codec decodes, or a private copy of one.
 * @returns Whether nobody can change the value any more: false if it holds a Date, Map, Set, Buffer, ArrayBuffer or
 * typed array, which cannot be frozen, or an instance of a class, which is left as it is.
 */
export function freezeDeep(value: unknown): boolean {
  if (typeof value === 'function') return false;
  if (typeof value !== 'object' || value === null) return true;
  let immutable = true;
  if (Array.isArray(value)) {
    const items: readonly unknown[] = value;
    for (let i = 0; i < items.length; i++) {
      const item = items[i];
      if (isPart(item) && !freezeDeep(item)) immutable = false;
    }
  } else if (isRecord(value)) {
    for (const key in value) {
      const item = value[key];
      if (isPart(item) && !freezeDeep(item)) immutable = false;
    }
  } else return false;
  Object.freeze(value);
  return immutable;
}

/**
 * A copy that shares nothing changeable with `value`, of every type that the codec keeps, type for type. With `frozen`
 * its objects and arrays are frozen.
 *
 * @param value One that the codec accepts; in particular it has no cycles.
 * @throws {TierkitError} `ERR_VALUE_UNSUPPORTED`: an instance of a class, or a function.
 */
export function copyValue<T>(value: T, options?: { readonly frozen?: boolean }): T {
  return copy(value, options?.frozen === true) as T;
}

function copy(value: unknown, frozen: boolean): unknown {
  if (typeof value === 'function' || typeof value === 'symbol') throw unsupported();
  return typeof value === 'object' && value !== null ? copyContainer(value, frozen) : value;
}

function copyContainer(value: object, frozen: boolean): object {
  if (Array.isArray(value)) {
    const items: unknown[] = value.slice();
    for (let i = 0; i < items.length; i++) {
      const item = items[i];
      if (isPart(item)) items[i] = copy(item, frozen);
    }
    return frozen ? Object.freeze(items) : items;
  }
  if (isRecord(value)) {
    // Spreading keeps the shape and copies `__proto__` as a property.
    const record: Record<string, unknown> =
      Object.getPrototypeOf(value) === null ? Object.assign(Object.create(null), value) : { ...value };
    for (const key in record) {
      const item = record[key];
      if (isPart(item)) record[key] = copy(item, frozen);
    }
    return frozen ? Object.freeze(record) : record;
  }
  if (value instanceof Date) return new Date(value);
  if (value instanceof Map) {
    const map = new Map<unknown, unknown>();
    for (const [key, item] of value) map.set(copy(key, frozen), copy(item, frozen));
    return map;
  }
  if (value instanceof Set) return new Set(Array.from(value, (item) => copy(item, frozen)));
  const kind = binaryKind(value);
  const bytes = kind === undefined ? undefined : binaryValue(kind, binaryBytes(value));
  if (bytes === undefined) throw unsupported();
  return bytes;
}

function isPart(value: unknown): boolean {
  return (typeof value === 'object' && value !== null) || typeof value === 'function' || typeof value === 'symbol';
}

function isRecord(value: object): value is Record<string, unknown> {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function unsupported(): TierkitError<'ERR_VALUE_UNSUPPORTED'> {
  return new TierkitError('ERR_VALUE_UNSUPPORTED', 'the value has a part that the codec does not keep');
}
