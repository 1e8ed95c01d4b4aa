/**
 * A value that nobody can change, as the cache hands it out: objects and arrays are readonly at every level, a Map or
 * Set is its readonly interface. Dates, buffers and functions keep their type, for no readonly form of them exists.
 */
export type Frozen<T> = T extends Unchangeable
  ? T
  : T extends ReadonlyMap<infer K, infer V>
    ? ReadonlyMap<Frozen<K>, Frozen<V>>
    : T extends ReadonlySet<infer V>
      ? ReadonlySet<Frozen<V>>
      : T extends object
        ? { readonly [K in keyof T]: Frozen<T[K]> }
        : T;

type Unchangeable =
  | string
  | number
  | boolean
  | bigint
  | symbol
  | null
  | undefined
  | Date
  | ArrayBufferView
  | ArrayBuffer
  | ((...args: never[]) => unknown);
