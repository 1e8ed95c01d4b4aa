import { expect, test } from 'vitest';
import { readOptions } from '../src/options.ts';

test('defaults to a full run of every scenario', () => {
  expect(readOptions([])).toEqual({ quick: false, list: false, only: /(?:)/, json: undefined });
});

test('reads every option', () => {
  const options = readOptions(['--quick', '--json', 'rows.json', '--only', '^l1-', '--list']);
  expect(options).toEqual({ quick: true, list: true, only: /^l1-/, json: 'rows.json' });
});

test.each([
  [['--fast'], '--fast'],
  [['--only', '('], '--only is no regular expression'],
  [['--json', ''], '--json needs'],
  [['--json'], '--json'],
  [['rows.json'], 'rows.json'],
])('refuses %j', (args, message) => {
  expect(() => readOptions(args)).toThrow(message);
});
