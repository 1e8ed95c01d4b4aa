import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { createCodec } from '../src/index.ts';

const codec = createCodec();

function detached(): ArrayBuffer {
  const buffer = new ArrayBuffer(8);
  structuredClone(buffer, { transfer: [buffer] });
  return buffer;
}

function detachedView(): Uint8Array {
  const view = new Uint8Array(8);
  structuredClone(view, { transfer: [view.buffer] });
  return view;
}

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

function circleOnSecondLook(): unknown[] {
  let looks = 0;
  const list: unknown[] = [];
  Object.defineProperty(list, 0, { get: () => (looks++ === 0 ? 1 : list), enumerable: true, configurable: true });
  return list;
}

it.each([
  ['a detached ArrayBuffer', detached],
  ['a view of a detached ArrayBuffer', detachedView],
  ['a revoked proxy', revoked],
  ['a list that becomes its own item', circleOnSecondLook],
  ['a Map that holds such a list', () => new Map([[1, circleOnSecondLook()]])],
  [
    'a proxy whose owner throws',
    () =>
      new Proxy(
        {},
        {
          ownKeys: () => {
            throw new RangeError('mine');
          },
        },
      ),
  ],
])('%s is refused with a code, and the next value is written as ever', (_, make) => {
  let thrown: unknown;
  try {
    codec.encode({ part: make() });
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toMatchObject({ code: 'ERR_VALUE_UNSUPPORTED', cause: expect.any(Error) as Error });
  const next = { a: [1, new Date(2)], b: 'text' };
  expect(codec.decode(codec.encode(next))).toStrictEqual(next);
});

it('plain objects and lists of another realm come back as those of this one', () => {
  const foreign = runInNewContext('({ a: [1, { b: null }], c: Object.create(null) })') as unknown;
  const own = { a: [1, { b: null }], c: Object.create(null) as object };
  expect(codec.decode(codec.encode(foreign))).toStrictEqual(own);
  expect(codec.decode(codec.encode([foreign, 1]))).toStrictEqual([own, 1]);
});

it.each([
  ['new Date()', 'Date of another realm'],
  ['new Map()', 'Map of another realm'],
  ['new (class Own { a = 1 })()', 'Own'],
  ['Object.create({ isPrototypeOf: 1 })', 'an unnamed class'],
  ['new (class extends Array {})()', 'an unnamed class'],
])('%s of another realm is refused as an instance of %s', (source, name) => {
  expect(() => codec.encode(runInNewContext(source))).toThrow(`$ is an instance of ${name}`);
});

it('an object that inherits from one without prototype is refused', () => {
  const parent = Object.assign(Object.create(null) as object, { constructor: Object, isPrototypeOf: 1 });
  expect(() => codec.encode(Object.create(parent))).toThrow('is an instance of');
});
