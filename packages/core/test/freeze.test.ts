import { expect, it } from 'vitest';
import { copyValue, freezeDeep } from '@tierkit/core';

const parts = (): Record<string, unknown> => ({ a: [1, { b: null }], c: { d: ['x', undefined] }, e: 5n });

function expectFrozen(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  expect(Object.isFrozen(value)).toBe(true);
  for (const part of Object.values(value)) expectFrozen(part);
}

it('freezes plain values at every level', () => {
  const value = parts();
  expect(freezeDeep(value)).toBe(true);
  expectFrozen(value);
  for (const scalar of [1, 'x', null, undefined, true, 5n]) expect(freezeDeep(scalar)).toBe(true);
});

it.each([
  new Date(),
  new Map(),
  new Set(),
  Buffer.from('x'),
  new Float64Array(1),
  new ArrayBuffer(1),
  new URL('http://localhost'),
  () => 1,
])('says that %o can be changed, wherever it stands, and freezes the rest', (changeable) => {
  expect(freezeDeep(changeable)).toBe(false);
  const value = { list: [{ changeable }], after: { x: 1 } };
  expect(freezeDeep(value)).toBe(false);
  for (const part of [value, value.list, value.list[0], value.after]) expect(Object.isFrozen(part)).toBe(true);
});

it('copies every type and shares nothing that can change', () => {
  const value = {
    ...parts(),
    date: new Date(5),
    map: new Map<unknown, unknown>([[{ k: 1 }, { v: new Set([[1]]) }]]),
    buffer: Buffer.from('abc'),
    floats: new Float64Array([1, 2]),
    bytes: new Uint8Array([1]).buffer,
    bare: Object.assign(Object.create(null) as object, { x: [1] }),
    ...(JSON.parse('{"__proto__": {"x": 1}}') as object),
  };
  const copy = copyValue(value);
  expect(copy).toStrictEqual(value);
  expect(Object.getPrototypeOf(copy.bare)).toBe(null);
  expect(Object.hasOwn(copy, '__proto__')).toBe(true);
  expect(Object.getPrototypeOf(copy)).toBe(Object.prototype);
  expect(Buffer.isBuffer(copy.buffer)).toBe(true);

  copy.buffer[0] = 0;
  copy.floats[0] = 9;
  new Uint8Array(copy.bytes)[0] = 9;
  copy.date.setTime(0);
  for (const key of copy.map.keys()) (key as { k: number }).k = 2;
  copy.bare.x.push(2);
  expect(value.buffer.toString()).toBe('abc');
  expect(value.floats[0]).toBe(1);
  expect(new Uint8Array(value.bytes)[0]).toBe(1);
  expect(value.date.getTime()).toBe(5);
  expect([...value.map.keys()]).toEqual([{ k: 1 }]);
  expect(value.bare).toEqual({ x: [1] });
});

it('freezes the copy, never the original', () => {
  const value = parts();
  const copy = copyValue(value, { frozen: true });
  expect(copy).toEqual(value);
  expectFrozen(copy);
  expect(Object.isFrozen(value)).toBe(false);
  expect(Object.isFrozen(value['a'])).toBe(false);
  const inMap = copyValue(new Map([['k', { x: [1] }]]), { frozen: true });
  expectFrozen(inMap.get('k'));
});

it.each([() => 1, Symbol('s'), new URL('http://localhost'), Promise.resolve(1), [() => 1], { f: Symbol('s') }, /x/])(
  'does not copy %o',
  (value) => {
    expect(() => copyValue(value)).toThrow(expect.objectContaining({ code: 'ERR_VALUE_UNSUPPORTED' }));
  },
);
