import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { copyValue, createCodec } from '@tierkit/core';
import { runExample } from '../../../test/support/run-example.ts';
import { isExactly } from './support/exactly.ts';

const codec = createCodec();
const roundTrip = (value: unknown): unknown => codec.decode(codec.encode(value));

class Point {
  x = 1;
}

const TYPES: readonly [string, unknown][] = [
  ['null', null],
  ['booleans', [true, false]],
  ['integers', [0, 1, 127, 128, 255, 256, 65_535, 65_536, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53, 2 ** 64]],
  ['negative integers', [-1, -32, -33, -128, -129, -32_768, -32_769, -(2 ** 31), -(2 ** 31) - 1, -(2 ** 53)]],
  ['-0, alone', -0],
  ['-0, inside', { a: [-0, 0] }],
  ['fractions', [0.1, 1.5, -2.25, 5e-324, 1.797e308]],
  ['NaN and infinities', [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]],
  ['strings', ['', 'x', 'é', '日本', '😀', '\0', 'a'.repeat(31), 'é'.repeat(40), 'x'.repeat(300), '日'.repeat(70_000)]],
  ['halves of surrogate pairs', ['\ud83d', 'a\ude00b', `${'x'.repeat(100)}\ud800`]],
  ['a key with half a surrogate pair', { 'a\ud83d': 1 }],
  ['bigint', [0n, 1n, -1n, 2n ** 63n, -(2n ** 63n) - 1n, 2n ** 64n, 7n ** 1000n, -(7n ** 1000n)]],
  ['dates', [new Date(0), new Date(-1), new Date(1_700_000_000_123), new Date(8.64e15), new Date(-8.64e15)]],
  ['an invalid date', new Date(Number.NaN)],
  ['undefined inside', { a: undefined, b: [undefined, 1] }],
  [
    'maps',
    new Map<unknown, unknown>([
      [1, 'number'],
      ['1', 'string'],
      [{ k: 1 }, new Map()],
      [null, undefined],
    ]),
  ],
  [
    'a map in insertion order',
    new Map([
      ['b', 1],
      ['a', 2],
    ]),
  ],
  ['sets', new Set<unknown>([1, '1', [1], new Set()])],
  ['a Buffer', Buffer.from('bytes')],
  ['an empty Buffer', Buffer.alloc(0)],
  ['a large Buffer', Buffer.alloc(70_000, 7)],
  ['an ArrayBuffer', new Uint8Array([1, 2, 3]).buffer],
  ['a Uint8Array', new Uint8Array([1, 2, 3])],
  ['a part of a larger array', new Float64Array([1, 2, 3]).subarray(1, 2)],
  [
    'typed arrays',
    [
      new Uint8ClampedArray([1]),
      new Int8Array([-1]),
      new Uint16Array([1]),
      new Int16Array([-1]),
      new Uint32Array([1]),
      new Int32Array([-1]),
      new Float32Array([1.5]),
      new Float64Array([-0]),
      new BigInt64Array([-1n]),
      new BigUint64Array([1n]),
    ],
  ],
  [
    'an object without prototype',
    Object.assign(Object.create(null) as object, { a: 1, b: Object.create(null) as object }),
  ],
  ['an own __proto__', JSON.parse('{"__proto__": {"admin": true}, "a": [{"__proto__": 1}]}')],
  ['an own constructor', { constructor: 'x', toJSON: 1, hasOwnProperty: 2 }],
  [
    'objects that look like our tags',
    [{ '\0u': null }, { '\0d': 1, x: 1 }, { '\0': new Date(1) }, { '\0m': [undefined] }],
  ],
  ['keys that are indexes', { 1: 'a', 900: 'b', 4_294_967_294: 'c', '-1': 'd', '01': 'e' }],
  ['an empty key', { '': 1, a: { '': undefined } }],
  ['empty containers', [[], {}, new Map(), new Set()]],
  ['many keys', Object.fromEntries(Array.from({ length: 70_000 }, (_, i) => [`key${i % 300}-${i % 9}`, i]))],
  ['an object of 25,000 keys', Object.fromEntries(Array.from({ length: 25_000 }, (_, i) => [`key${i}`, i]))],
  [
    'shared parts, as copies',
    (() => {
      const part = { x: 1 };
      return [part, part];
    })(),
  ],
];

it.each(TYPES)('keeps %s', (_name, value) => {
  expect(roundTrip(value)).toSatisfy((decoded) => isExactly(decoded, value));
});

it('leaves the value that it encodes as it was', () => {
  const value = { date: new Date(1), list: [-0, undefined], map: new Map([[{ k: 1n }, Buffer.from('x')]]) };
  const before = copyValue(value);
  codec.encode(value);
  expect(value).toStrictEqual(before);
});

it('never pollutes a prototype', () => {
  const decoded = roundTrip(JSON.parse('{"__proto__": {"polluted": 1}}')) as object;
  expect(Object.getPrototypeOf(decoded)).toBe(Object.prototype);
  expect(Object.hasOwn(decoded, '__proto__')).toBe(true);
  expect((decoded as { polluted?: unknown }).polluted).toBe(undefined);
  // As bytes that this codec does not write.
  const raw = Buffer.from('81a95f5f70726f746f5f5f81a8706f6c6c7574656401', 'hex');
  expect((codec.decode(raw) as { polluted?: unknown }).polluted).toBe(undefined);
  expect(({} as { polluted?: unknown }).polluted).toBe(undefined);
});

it('keeps null prototypes and own __proto__ keys apart from plain objects', () => {
  const bare = Object.create(null) as object;
  expect(Object.getPrototypeOf((roundTrip({ bare }) as { bare: object }).bare)).toBe(null);
  expect(Object.getPrototypeOf((roundTrip([{}]) as object[])[0])).toBe(Object.prototype);
});

it('round-trips anything of its types, type for type', () => {
  const leaf = fc.oneof(
    fc.anything({ maxDepth: 0, withBigInt: true, withDate: true, withTypedArray: true, withObjectString: true }),
    fc.string({ unit: 'binary' }),
    fc.constantFrom('\ud800', -0, '\0u', '__proto__', 'constructor'),
    fc.uint8Array({ maxLength: 8 }).map((bytes) => Buffer.from(bytes)),
    fc.date({ noInvalidDate: false }),
  );
  const key = fc.oneof(fc.string({ maxLength: 6 }), fc.constantFrom('__proto__', '\0m', 'constructor', '\udfff', '7'));
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      leaf,
      fc.array(tie('tree'), { maxLength: 5 }),
      fc.dictionary(key, tie('tree'), { maxKeys: 5, noNullPrototype: false }),
      fc.array(fc.tuple(tie('tree'), tie('tree')), { maxLength: 4 }).map((entries) => new Map(entries)),
      fc.array(tie('tree'), { maxLength: 4 }).map((items) => new Set(items)),
    ),
  }));
  fc.assert(
    fc.property(tree, (value) => {
      fc.pre(value !== undefined);
      expect(roundTrip(value)).toSatisfy((decoded) => isExactly(decoded, value));
    }),
    { numRuns: 1500 },
  );
});

const doubling = (): unknown => {
  let value: unknown = 1;
  for (let i = 0; i < 40; i++) value = [value, value];
  return value;
};
const cyclic: Record<string, unknown> = { a: [{}] };
(cyclic['a'] as Record<string, unknown>[])[0]!['back'] = cyclic;
const deep = (levels: number): unknown => {
  let value: unknown = 1;
  for (let i = 0; i < levels; i++) value = i % 2 === 0 ? [value] : { x: value };
  return value;
};
// oxlint-disable-next-line no-sparse-arrays
const holed = [1, , 3];

describe('refuses with ERR_VALUE_UNSUPPORTED', () => {
  it.each<[string, unknown, string]>([
    ['undefined itself', undefined, 'undefined is no value: it means a miss'],
    ['a function', { a: [0, 1, 2, { f: () => 1 }] }, '$.a[3].f is a function'],
    ['a symbol', [Symbol('s')], '$[0] is a symbol'],
    ['a symbol key', { a: { [Symbol('s')]: 1 } }, '$.a is an object with the symbol key Symbol(s)'],
    ['an instance of a class', { p: new Point() }, '$.p is an instance of Point'],
    ['an error', { e: new TypeError('x') }, '$.e is an instance of TypeError'],
    ['a regular expression', [/x/], '$[0] is an instance of RegExp'],
    ['a promise', { 'the value': Promise.resolve(1) }, '$["the value"] is an instance of Promise'],
    ['boxed primitives', [new Object(1)], '$[0] is an instance of Number'],
    ['a boxed string', new Object('x'), '$ is an instance of String'],
    ['a weak map', new WeakMap(), '$ is an instance of WeakMap'],
    ['a subclass of Map', new (class Cache extends Map {})(), '$ is an instance of Cache'],
    ['a subclass of Array', new (class List extends Array {})(), '$ is an instance of List'],
    ['a DataView', new DataView(new ArrayBuffer(1)), '$ is an instance of DataView'],
    ['a SharedArrayBuffer', new SharedArrayBuffer(1), '$ is an instance of SharedArrayBuffer'],
    ['something that only claims to be a Date', Object.create(Date.prototype), '$ is an instance of Date'],
    ['something that only claims to be a Buffer', Object.create(Buffer.prototype), '$ is an instance of'],
    [
      'a getter',
      {
        a: {
          get b() {
            return 1;
          },
        },
      },
      '$.a.b is an accessor',
    ],
    ['a setter', { set b(_value: number) {} }, '$.b is an accessor'],
    ['a hidden property', Object.defineProperty({}, 'h', { value: 1 }), '$.h is a property that is not enumerable'],
    ['a hole', { list: holed }, '$.list[1] is a hole in an array'],
    ['a sparse array', Array.from({ length: 3 }).concat(Array(5)), '$[3] is a hole in an array'],
    ['an array with properties', /(x)/.exec('x'), '$ is an array with properties besides its items'],
    [
      'an array with a symbol',
      Object.assign([1], { [Symbol('s')]: 1 }),
      '$ is an array with properties besides its items',
    ],
    ['a symbol key', { a: { b: 1, [Symbol('s')]: 1 } }, '$.a is an object with the symbol key Symbol(s)'],
    ['a hidden symbol key', Object.defineProperty({}, Symbol('h'), { value: 1 }), '$ is an object with the symbol key'],
    ['a Map with properties', Object.assign(new Map(), { x: 1 }), '$ is a Map with properties of its own'],
    ['a key of a Map', new Map([[() => 1, 1]]), '$<key 0> is a function'],
    ['a value of a Map', new Map([['k', [() => 1]]]), '$<value 0>[0] is a function'],
    ['an item of a Set', new Set([1, () => 1]), '$<item 1> is a function'],
    ['a cycle', { start: cyclic }, '$.start contains itself'],
  ])('%s', (_name, value, message) => {
    expect(() => codec.encode(value)).toThrow(
      expect.objectContaining({ code: 'ERR_VALUE_UNSUPPORTED', message: expect.stringContaining(message) as string }),
    );
  });
});

describe('refuses with ERR_VALUE_TOO_LARGE', () => {
  const small = createCodec({ maxBytes: 100, maxDepth: 3, maxNodes: 20 });
  it.each<[string, unknown]>([
    ['text', 'x'.repeat(101)],
    ['text of several bytes', '日'.repeat(40)],
    ['a key', { ['x'.repeat(101)]: 1 }],
    ['a Buffer', Buffer.alloc(101)],
    ['a bigint', 2n ** 1000n],
    ['parts', Array.from({ length: 21 }).fill(1)],
    ['depth', deep(4)],
    ['a value that doubles', doubling()],
    ['a long sparse array', Array(4e9)],
  ])('%s', (_name, value) => {
    expect(() => small.encode(value)).toThrow(expect.objectContaining({ code: 'ERR_VALUE_TOO_LARGE' }));
  });

  it('and takes what is just within', () => {
    for (const value of ['x'.repeat(98), deep(3), Array.from({ length: 19 }).fill(1)]) {
      expect(small.decode(small.encode(value))).toEqual(value);
    }
    expect(roundTrip(deep(64))).toEqual(deep(64));
    expect(() => codec.encode(deep(65))).toThrow(/nested deeper/);
    const maps = (levels: number): unknown => (levels === 0 ? new Date(1) : new Map([[1, maps(levels - 1)]]));
    expect(roundTrip(maps(63))).toEqual(maps(63));
  });

  it('also where nesting is a value shared many times over', () => {
    const start = performance.now();
    expect(() => codec.encode(doubling())).toThrow(expect.objectContaining({ code: 'ERR_VALUE_TOO_LARGE' }));
    expect(performance.now() - start).toBeLessThan(1000);
  });
});

it('gives bytes that later encodings do not overwrite and that hold no more memory than they need', () => {
  const first = codec.encode({ a: 'first' });
  const copy = Buffer.from(first);
  for (let i = 0; i < 100; i++) codec.encode({ b: 'x'.repeat(i * 100) });
  expect(first.equals(copy)).toBe(true);
  const large = codec.encode(Buffer.alloc(100_000));
  expect(large.buffer.byteLength).toBe(large.length);
});

it('shares nothing with the bytes it decodes', () => {
  const bytes = codec.encode({ buffer: Buffer.from('abc'), floats: new Float64Array([1]) });
  const decoded = codec.decode(bytes);
  bytes.fill(0);
  expect(decoded).toEqual({ buffer: Buffer.from('abc'), floats: new Float64Array([1]) });
});

it('writes plain msgpack for plain values', () => {
  expect(codec.encode({ a: [1, 'x', null, true] }).toString('hex')).toBe('81a1619401a178c0c3');
});

it('reads a view of a larger buffer', () => {
  const bytes = codec.encode({ a: new Date(1) });
  const padded = Buffer.concat([Buffer.alloc(13, 0xff), bytes, Buffer.alloc(9, 0xff)]);
  expect(codec.decode(padded.subarray(13, 13 + bytes.length))).toEqual({ a: new Date(1) });
});

it("is not affected by a user's msgpackr extensions, nor the other way round", async () => {
  const program = fileURLToPath(new URL('support/foreign-extensions.ts', import.meta.url));
  const { stdout } = await runExample(program, process.env);
  // An extension over Buffers would change what is written: it is noticed, not stored.
  expect(JSON.parse(stdout)).toEqual({ tagged: true, plain: true, noticed: 'ERR_VALUE_UNSUPPORTED' });
});

it.each([{ maxBytes: 0 }, { maxDepth: 1.5 }, { maxNodes: Number.NaN }, { maxDepth: 513 }, { maxBytes: 2 ** 40 }])(
  'refuses the limits %j',
  (limits) => {
    expect(() => createCodec(limits)).toThrow(expect.objectContaining({ code: 'ERR_CODEC_LIMIT' }));
  },
);
