import { TierkitError } from '@tierkit/core';
import { expect, it } from 'vitest';
import { jsonLogger, levelLogger, type LogLevel } from '../src/level-logger.ts';

function logged(level: LogLevel): string[] {
  const lines: string[] = [];
  const logger = levelLogger(
    jsonLogger((line) => lines.push(line)),
    level,
  );
  logger.debug({}, 'd');
  logger.info({}, 'i');
  logger.warn({}, 'w');
  logger.error({}, 'e');
  return lines.map((line) => (JSON.parse(line) as { level: string }).level);
}

it.each<[LogLevel, string[]]>([
  ['debug', ['debug', 'info', 'warn', 'error']],
  ['info', ['info', 'warn', 'error']],
  ['warn', ['warn', 'error']],
  ['error', ['error']],
  ['silent', []],
])('%s passes %j', (level, levels) => {
  expect(logged(level)).toEqual(levels);
});

it('writes one line of JSON whatever the details are', () => {
  const lines: string[] = [];
  const logger = jsonLogger((line) => lines.push(line));
  const circular: Record<string, unknown> = { text: 'two\nlines' };
  circular['self'] = circular;
  const cause = new Error('refused');
  logger.warn({ error: new TierkitError('ERR_X', 'failed', { cause }), big: 1n, level: 'no', message: 'no' }, 'first');
  logger.error(circular, 'second');
  logger.info(
    {
      get bad() {
        throw new Error('getter');
      },
    },
    'third',
  );
  expect(lines.every((line) => line.indexOf('\n') === line.length - 1)).toBe(true);
  const [first, second, third] = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(first).toEqual({
    time: expect.stringMatching(/^\d{4}-.*Z$/) as string,
    level: 'warn',
    message: 'first',
    error: { name: 'TierkitError', code: 'ERR_X', message: 'failed', cause: { name: 'Error', message: 'refused' } },
    big: '1',
  });
  expect(second).toMatchObject({ level: 'error', message: 'second' });
  expect(third).toMatchObject({ level: 'info', message: 'third' });
});
