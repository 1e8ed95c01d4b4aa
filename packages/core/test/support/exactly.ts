/** Whether two values are the same type for type: prototypes, -0, NaN, order of keys and entries included. */
export function isExactly(a: unknown, b: unknown): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return Object.is(a, b);
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
  if (a instanceof Date) return Object.is(a.getTime(), (b as Date).getTime());
  if (a instanceof Map) return isExactly([...a], [...(b as Map<unknown, unknown>)]);
  if (a instanceof Set) return isExactly([...a], [...(b as Set<unknown>)]);
  if (a instanceof ArrayBuffer) return Buffer.from(a).equals(Buffer.from(b as ArrayBuffer));
  if (ArrayBuffer.isView(a)) return bytes(a).equals(bytes(b as ArrayBufferView));
  const keys = Reflect.ownKeys(a);
  if (!isSameList(keys, Reflect.ownKeys(b))) return false;
  return keys.every((key) => isExactly(value(a, key), value(b, key)));
}

function bytes(view: ArrayBufferView): Buffer {
  return Buffer.from(view.buffer, view.byteOffset, view.byteLength);
}

function isSameList(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((item, i) => item === b[i]);
}

function value(object: object, key: string | symbol): unknown {
  return Object.getOwnPropertyDescriptor(object, key)?.value;
}
