import { types } from 'node:util';

type BinaryConstructor = new (buffer: never) => object;

// The position is stored with the value: only append.
const CONSTRUCTORS: readonly BinaryConstructor[] = [
  ArrayBuffer,
  Uint8Array,
  Uint8ClampedArray,
  Int8Array,
  Uint16Array,
  Int16Array,
  Uint32Array,
  Int32Array,
  Float32Array,
  Float64Array,
  BigUint64Array,
  BigInt64Array,
];
const BUFFER_KIND = CONSTRUCTORS.length;
const KIND_BY_PROTOTYPE: ReadonlyMap<unknown, number> = new Map<unknown, number>([
  ...CONSTRUCTORS.map((constructor, kind): [unknown, number] => [constructor.prototype, kind]),
  [Buffer.prototype, BUFFER_KIND],
]);

/** Which Buffer, ArrayBuffer or typed array a value is; `undefined` for all else, subclasses and resizable ones too. */
export function binaryKind(value: object): number | undefined {
  const kind = KIND_BY_PROTOTYPE.get(Object.getPrototypeOf(value));
  if (kind === undefined || !(ArrayBuffer.isView(value) || types.isArrayBuffer(value))) return undefined;
  const buffer = ArrayBuffer.isView(value) ? value.buffer : value;
  return 'resizable' in buffer && buffer.resizable === true ? undefined : kind;
}

/** The bytes of a value that has a {@link binaryKind}, as a view. */
export function binaryBytes(value: object): Buffer {
  if (ArrayBuffer.isView(value)) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  return Buffer.from(value as ArrayBuffer);
}

/** A new value of that kind with a copy of `bytes`; `undefined` where kind and length do not fit. */
export function binaryValue(kind: unknown, bytes: Uint8Array): object | undefined {
  if (kind === BUFFER_KIND) return Buffer.from(bytes);
  const Constructor = typeof kind === 'number' ? CONSTRUCTORS[kind] : undefined;
  if (Constructor === undefined) return undefined;
  const copy = new Uint8Array(bytes).buffer;
  if (Constructor.prototype === ArrayBuffer.prototype) return copy;
  const elementBytes = (Constructor as unknown as { readonly BYTES_PER_ELEMENT: number }).BYTES_PER_ELEMENT;
  return copy.byteLength % elementBytes === 0 ? new Constructor(copy as never) : undefined;
}
