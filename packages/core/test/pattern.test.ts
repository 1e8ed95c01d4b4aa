import fc from 'fast-check';
import { expect, it } from 'vitest';
import { compilePattern, encodeKey } from '@tierkit/core';

const matches = (pattern: string, key: string): boolean => compilePattern(pattern).matches(encodeKey(key));

it.each([
  ['model:*', 'model:gpt-4:x', true],
  ['model:*', 'models:gpt', false],
  ['*:profile', 'user:1:profile', true],
  ['*:profile', 'user:1:profiles', false],
  ['a*b*c', 'axxbyyc', true],
  ['a*b*c', 'axxcyyb', false],
  ['*', 'anything', true],
  ['?', 'x', true],
  ['?', 'xy', false],
  ['a?c', 'a c', true],
  ['a?c', 'aéc', true],
  ['a?c', 'a😀c', true],
  ['a?c', 'a\u2028c', true],
  ['a?c', 'ac', false],
  ['a??c', 'a c', false],
  ['*?', 'a', true],
  ['?*?', 'a', false],
  // The encoding of a space ends in 20, the key does not.
  ['*20', 'a ', false],
  ['*20', 'a20', true],
  ['*0', 'a ', false],
  ['a\\*', 'a*', true],
  ['a\\*', 'ab', false],
  ['a\\?', 'a?', true],
  ['a\\\\*', 'a\\b', true],
  ['a\\b', 'a\\b', true],
  ['[ab]', '[ab]', true],
  ['[ab]*', 'a', false],
  ['{a}*', '{a}b', true],
])('%s and the key %j: %s', (pattern, key, expected) => {
  expect(matches(pattern, key)).toBe(expected);
});

it('is literal without a wildcard, and then the encoded key itself', () => {
  expect(compilePattern('a b:[x]')).toMatchObject({ literal: true, encoded: encodeKey('a b:[x]') });
  expect(compilePattern('a\\*b')).toMatchObject({ literal: true, encoded: encodeKey('a*b') });
  expect(compilePattern('x'.repeat(600)).matches(encodeKey('x'.repeat(600)))).toBe(true);
  expect(compilePattern('a*').literal).toBe(false);
});

it('gives Redis only the wildcards that the user wrote', () => {
  expect(compilePattern('a[b]{c}\\*d*e').encoded).toBe('a%5Bb%5D%7Bc%7D%2Ad*e');
  expect(compilePattern('a***b').encoded).toBe('a*b');
  expect(compilePattern('a?*?b').encoded).toBe('a??*b');
});

it('finds the readable beginning of a key that was shortened to a hash', () => {
  expect(matches('report:*', `report:${'x'.repeat(600)}`)).toBe(true);
  expect(matches('report:*x', `report:${'x'.repeat(600)}y`)).toBe(false);
});

it.each([
  ['empty', ''],
  ['too long', 'a'.repeat(1025)],
  ['too many stars', 'a*'.repeat(17)],
  ['too many question marks', 'a?'.repeat(17)],
  ['half a surrogate pair', '*\ud800'],
  ['no string', undefined as never],
])('refuses %s', (_why, pattern) => {
  expect(() => compilePattern(pattern)).toThrow(expect.objectContaining({ code: 'ERR_PATTERN_INVALID' }));
});

const char = fc.constantFrom(
  'a',
  'b',
  ' ',
  ':',
  '*',
  '?',
  '[',
  ']',
  '^',
  '-',
  '\\',
  '{',
  '%',
  '2',
  '0',
  'é',
  '😀',
  '\u2028',
);
const key = fc.string({ unit: char, minLength: 1, maxLength: 12 });

/** The rule said in another way: a regular expression over the key as written. */
function asRegExp(pattern: string): RegExp {
  const source = pattern.replaceAll(/\\[*?\\]|[^]/gu, (token) => {
    if (token === '*') return '[^]*';
    if (token === '?') return '[^]';
    const text = token.length === 2 && token[0] === '\\' ? token.slice(1) : token;
    return Array.from(text, (c) => `\\u{${c.codePointAt(0)!.toString(16)}}`).join('');
  });
  return new RegExp(`^${source}$`, 'u');
}

it('matches as a regular expression over the written key does', () => {
  fc.assert(
    fc.property(key, key, (pattern, value) => {
      expect(matches(pattern, value)).toBe(asRegExp(pattern).test(value));
      // A pattern made of the key matches more often.
      const wild = value.replaceAll(/[\\*?]/g, '\\$&').replace(/a|b| |é|😀/u, '?') + '*';
      expect(matches(wild, value)).toBe(true);
    }),
    { numRuns: 5000 },
  );
});

it('takes linear time on patterns that make backtracking explode', () => {
  const pattern = compilePattern(`${'a*'.repeat(16)}b`);
  const start = performance.now();
  for (let i = 0; i < 100; i++) expect(pattern.matches('a'.repeat(512))).toBe(false);
  expect(performance.now() - start).toBeLessThan(1000);
});
