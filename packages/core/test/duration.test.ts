import { expect, it } from 'vitest';
import { parseDuration, type Duration } from '@tierkit/core';

it.each<[Duration, number]>([
  [1, 1],
  [1500.4, 1500],
  [0.2, 1],
  ['250ms', 250],
  ['5m', 300_000],
  ['5 minutes', 300_000],
  ['1.5h', 5_400_000],
  ['1.1s', 1100],
  ['2d', 172_800_000],
  ['1w', 604_800_000],
  ['10 secs', 10_000],
])('%j is %d ms', (value, ms) => {
  expect(parseDuration(value, 'ttl')).toBe(ms);
});

it.each([
  ['no unit', '5'],
  ['a month or a minute', '1M'],
  ['two amounts', '1h30m'],
  ['negative', '-5m'],
  ['zero', '0s'],
  ['zero', 0],
  ['negative', -1],
  ['not finite', Number.NaN],
  ['not finite', Number.POSITIVE_INFINITY],
  ['no amount', 'm'],
  ['no such unit', '5x'],
  ['a unit with a tail', '5ms5'],
  ['space around', ' 5m '],
  ['a newline', '5m\n'],
  ['exponent', '1e3s'],
  ['empty', ''],
  ['longer than a century', '101y'],
  ['not a number', null as never],
  ['not a number', 5n as never],
  ['an object', { valueOf: () => 5 } as never],
])('refuses %s: %s', (_why, value) => {
  expect(() => parseDuration(value, 'grace')).toThrow(
    expect.objectContaining({ code: 'ERR_DURATION_INVALID', details: { option: 'grace' } }),
  );
});

it('holds the bounds, both included, and names the option', () => {
  const bounds = { minMs: 1000, maxMs: 60_000 };
  expect(parseDuration('1s', 'ttl', bounds)).toBe(1000);
  expect(parseDuration('1m', 'ttl', bounds)).toBe(60_000);
  expect(() => parseDuration(999, 'ttl', bounds)).toThrow(/^ttl: 999 must be at least 1000 ms/);
  expect(() => parseDuration('61s', 'ttl', bounds)).toThrow(/^ttl: "61s" must be at most 60000 ms/);
});
