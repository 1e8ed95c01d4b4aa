import { expect, it } from 'vitest';
import { jsonValue } from '../src/json-value.ts';

it.each([
  [null, 'null', null],
  [0, 'number', 0],
  [-0, 'number', { $number: '-0' }],
  [Number.NaN, 'number', { $number: 'NaN' }],
  [Infinity, 'number', { $number: 'Infinity' }],
  ['', 'string', ''],
  [12n, 'bigint', { $bigint: '12' }],
  [true, 'boolean', true],
  [[1, undefined], 'array', [1, { $undefined: true }]],
  [new Date(0), 'date', { $date: '1970-01-01T00:00:00.000Z' }],
  [new Date(Number.NaN), 'date', { $date: 'invalid' }],
  [new Map([['a', new Set([1])]]), 'map', { $map: [['a', { $set: [1] }]] }],
  [Buffer.from('abc'), 'bytes', { $bytes: 'YWJj' }],
  [new Uint16Array([1]), 'bytes', { $bytes: 'AQA=' }],
  [JSON.parse('{"__proto__":{"a":1}}'), 'object', JSON.parse('{"__proto__":{"a":1}}')],
])('shows %o as %s', (value, type, json) => {
  expect(jsonValue(value)).toEqual({ type, json, truncated: false });
  expect(JSON.parse(JSON.stringify(jsonValue(value).json))).toEqual(json);
});

it.each([
  ['much text', 'x'.repeat(3_000_000)],
  ['many texts', Array.from({ length: 5_000 }, () => 'x'.repeat(1_000))],
  ['many parts', Array.from({ length: 300_000 }, () => [])],
  ['many fields', Object.fromEntries(Array.from({ length: 100_000 }, (_, index) => [`f${index}`, index]))],
  ['many bytes', Buffer.alloc(3_000_000)],
  ['a deep list', Array.from({ length: 50_000 }).reduce<unknown[]>((inner) => [inner], [])],
  ['a long name', { ['x'.repeat(3_000_000)]: 1 }],
  ['a large map', new Map(Array.from({ length: 100_000 }, (_, index) => [index, index]))],
])('shows a bounded part of %s', (_, value) => {
  const shown = jsonValue(value);
  expect(shown.truncated).toBe(true);
  expect(JSON.stringify(shown.json).length).toBeLessThan(1_500_000);
});
