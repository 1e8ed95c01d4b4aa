import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import {
  combineTelemetry,
  discloseKey,
  errorType,
  TierkitError,
  TimedOperation,
  type Telemetry,
} from '../src/index.ts';

const metric = { name: 'm', kind: 'duration', unit: 's', description: 'M', attributes: ['error.type'] } as const;

/** Writes down what it is told. */
function recorder(name: string, log: string[], { traced }: { traced?: boolean } = {}): Telemetry {
  return {
    observe: ({ metrics }) => {
      log.push(`${name} observes ${metrics.length}`);
      return () => log.push(`${name} ends`);
    },
    durations: () => ({ record: (_seconds, error) => log.push(`${name} ${error ?? 'done'}`) }),
    ...(traced !== undefined && {
      spans: {
        active: () => traced,
        async run(span, work) {
          log.push(`${name} begins ${span.name}`);
          const value = await work();
          log.push(`${name} ends ${span.name}`);
          return value;
        },
      },
    }),
  };
}

function operation(telemetry: Telemetry): TimedOperation {
  return new TimedOperation(telemetry, { metric, attributes: {}, span: { name: 'span', attributes: {} } });
}

test('an operation settles as its work does, and tells how', async () => {
  const log: string[] = [];
  const timed = operation(recorder('a', log));
  expect(await timed.run(async () => 5)).toBe(5);
  await expect(timed.run(() => Promise.reject(new RangeError('x')))).rejects.toThrow('x');
  expect(log).toEqual(['a done', 'a RangeError']);
});

test('several telemetries are told alike; spans are nested, and only where there is a trace', async () => {
  const log: string[] = [];
  const parts = [
    recorder('a', log),
    recorder('b', log, { traced: true }),
    recorder('c', log, { traced: false }),
    recorder('d', log, { traced: true }),
  ];
  const all = combineTelemetry(parts) as Telemetry;
  all.observe({ metrics: [metric], read() {} })();
  await operation(all).run(async () => log.push('work'));
  expect(log).toEqual([
    ...['a', 'b', 'c', 'd'].map((name) => `${name} observes 1`),
    ...['a', 'b', 'c', 'd'].map((name) => `${name} ends`),
    'b begins span',
    'd begins span',
    'work',
    'd ends span',
    'b ends span',
    ...['a', 'b', 'c', 'd'].map((name) => `${name} done`),
  ]);
});

test('none are nobody, and one is told once however it is given', async () => {
  expect(combineTelemetry(undefined)).toBeUndefined();
  expect(combineTelemetry([])).toBeUndefined();
  const log: string[] = [];
  const one = recorder('a', log);
  for (const given of [one, [one], [one, one]]) {
    await operation(combineTelemetry(given) as Telemetry).run(async () => {});
    expect(log.splice(0)).toEqual(['a done']);
  }
});

test.each([
  [new TierkitError('ERR_X', 'secret'), 'ERR_X'],
  [Object.assign(new Error('secret'), { code: 'ECONNREFUSED' }), 'ECONNREFUSED'],
  [new TypeError('secret'), 'TypeError'],
  [Object.assign(new Error('secret'), { code: 'user 42' }), 'Error'],
  [Object.assign(new Error('secret'), { name: 'a secret' }), '_OTHER'],
  ['secret', '_OTHER'],
  [undefined, '_OTHER'],
])('the type of %o is %s', (error, type) => {
  expect(errorType(error)).toBe(type);
});

test('a key is shown, hashed or left out', () => {
  expect(discloseKey('plain', 'user:42')).toBe('user:42');
  expect(discloseKey('omitted', 'user:42')).toBeUndefined();
  expect(discloseKey((key) => key.toUpperCase(), 'user:42')).toBe('USER:42');
  const hash = createHash('sha256').update('user:42').digest('hex');
  expect(discloseKey('hashed', 'user:42')).toBe(hash.slice(0, 16));
});
