import fc from 'fast-check';
import { expect, it } from 'vitest';
import { decodeKey, encodeKey, encodeSegment, isHashedKey, type Key } from '@tierkit/core';

/** Text with many characters that matter, and any other. */
const text = fc.string({
  minLength: 1,
  maxLength: 40,
  unit: fc.oneof(
    fc.constantFrom(...Array.from(':%{}*?[]\\ \t\n\0~/^-_aA0é€\u007f\u0085\u00a0\u2028\ufeff😀'), '%7B', '%~'),
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }),
  ),
});
const segments = fc.array(text, { minLength: 1, maxLength: 5 });
const key: fc.Arbitrary<Key> = fc.oneof(text, segments);

/** What a key means: a string is the list of its parts between colons. */
const asSegments = (value: Key): string[] =>
  typeof value === 'string' ? value.split(':') : value.map((segment) => String(segment));

it.each<[Key, string]>([
  ['file_tree', 'file_tree'],
  ['model:gpt-4:answers', 'model:gpt-4:answers'],
  [['a', 'b'], 'a:b'],
  [['a:b'], 'a%3Ab'],
  [['user', 42, 'profile'], 'user:42:profile'],
  [[-0, 1.5], '0:1.5'],
  ['50% {x}', '50%25%20%7Bx%7D'],
  ['a*b?c[d]\\', 'a%2Ab%3Fc%5Bd%5D%5C'],
  ['größe/日本', 'größe/日本'],
  ['a\u2028b', 'a%E2%80%A8b'],
  ['a::b', 'a::b'],
])('%j is %s', (value, encoded) => {
  expect(encodeKey(value)).toBe(encoded);
});

it('is injective on lists of segments', () => {
  fc.assert(
    fc.property(key, key, (a, b) => {
      const same = JSON.stringify(asSegments(a)) === JSON.stringify(asSegments(b));
      expect(encodeKey(a) === encodeKey(b)).toBe(same);
    }),
    { numRuns: 2000 },
  );
});

it('never holds a glob, a hash tag, whitespace or a control character, nor more than 512 bytes', () => {
  fc.assert(
    fc.property(fc.oneof(key, fc.string({ minLength: 1, maxLength: 900, unit: 'grapheme' })), (value) => {
      const encoded = encodeKey(value);
      expect(encoded).not.toMatch(/[{}*?[\]\\\s\u0000-\u001f\u007f-\u009f]/);
      expect(Buffer.byteLength(encoded)).toBeLessThanOrEqual(512);
      expect(encoded).not.toBe('');
    }),
    { numRuns: 2000 },
  );
});

it('decodes what it encodes', () => {
  fc.assert(
    fc.property(key, (value) => {
      const decoded = decodeKey(encodeKey(value));
      expect(asSegments(decoded)).toEqual(asSegments(value));
      expect(typeof decoded === 'string').toBe(asSegments(value).every((segment) => !segment.includes(':')));
    }),
    { numRuns: 2000 },
  );
});

it('encodes a segment like that of a list, with no colon left', () => {
  fc.assert(
    fc.property(text, (id) => {
      expect(encodeSegment(id, 'session id')).toBe(encodeKey([id]));
      expect(encodeSegment(id, 'session id')).not.toMatch(/[:{}]/);
    }),
  );
});

it.each([
  ['empty', ''],
  ['empty list', []],
  ['empty segment', ['a', '']],
  ['half a surrogate pair', 'a\ud83d'],
  ['half a surrogate pair', ['a', '\ude00b']],
  ['null', null],
  ['undefined', undefined],
  ['a number', 5],
  ['NaN', [Number.NaN]],
  ['infinity', ['a', Number.POSITIVE_INFINITY]],
  ['an object', {}],
  ['a nested list', [['a']]],
  ['a String', new Object('a')],
  ['a hole', Array.from({ length: 2 })],
])('refuses %s', (_what, value) => {
  expect(() => encodeKey(value as Key)).toThrow(expect.objectContaining({ code: 'ERR_KEY_INVALID' }));
});

it('names what a refused segment is', () => {
  expect(() => encodeSegment('', 'session id')).toThrow('session id must not be empty');
  expect(() => encodeSegment(undefined as never, 'project id')).toThrow('project id must be a string');
});

it('shortens what is over 512 bytes to a readable prefix and a hash that no other key has', () => {
  const fits = 'x'.repeat(512);
  expect(encodeKey(fits)).toBe(fits);
  const long = encodeKey(`${fits}x`);
  expect(long).toMatch(/^x{64}%~[\w-]{43}$/);
  expect(isHashedKey(long)).toBe(true);
  expect(isHashedKey(fits)).toBe(false);
  expect(encodeKey(`${fits}y`)).not.toBe(long);
  expect(encodeKey([`${fits}x`])).toBe(long);
  expect(decodeKey(long)).toBe(long);
  // A user who gives that text as a key gets another one.
  expect(encodeKey(long)).not.toBe(long);
  expect(encodeKey('€'.repeat(170))).toBe('€'.repeat(170));
  expect(isHashedKey(encodeKey('€'.repeat(171)))).toBe(true);
});

it('cuts the prefix of a hash neither within a percent sequence nor within a pair', () => {
  for (let before = 60; before < 66; before++) {
    for (const char of [' ', '😀']) {
      const encoded = encodeKey('x'.repeat(before) + char.repeat(600));
      expect(encoded.isWellFormed()).toBe(true);
      expect(encoded.slice(0, encoded.indexOf('%~'))).toMatch(/^(?:[^%]|%[\dA-F]{2})*$/);
    }
  }
});

it.each(['a%', 'a%zz', 'a%41', 'a b', 'a%2a', '', 'a%c3', '{a}'])(
  'does not decode %j, which it never writes',
  (encoded) => {
    expect(() => decodeKey(encoded)).toThrow(expect.objectContaining({ code: 'ERR_KEY_INVALID' }));
  },
);
