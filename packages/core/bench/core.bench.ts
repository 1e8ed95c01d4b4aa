// node --conditions=@tierkit/source --import tsx bench/core.bench.ts
import { copyValue, encodeEnvelope, encodeKey, freezeDeep, parseEnvelope } from '@tierkit/core';
import { datedProfile, profile, rows } from './documents.ts';
import { nanoseconds, print } from './measure.ts';

const indexes = Array.from({ length: 32 }, (_, i) => i);
const names = indexes.map((i) => `user:${i * 7919}:profile`);
const lists = indexes.map((i) => ['user', i * 7919, 'profile']);
const spaced = indexes.map((i) => `user ${i * 7919} profile`);
const accented = indexes.map((i) => `größe:${i * 7919}:profil`);
print(
  'keys',
  {
    'a string that needs nothing': nanoseconds((i) => encodeKey(names[i]!), 2_000_000),
    'a list that needs nothing': nanoseconds((i) => encodeKey(lists[i]!), 1_000_000),
    'a string outside of ASCII': nanoseconds((i) => encodeKey(accented[i]!), 1_000_000),
    'a string with spaces': nanoseconds((i) => encodeKey(spaced[i]!), 500_000),
  },
  'a string that needs nothing',
);

const fields = { expiresAtMs: 1e12, freshUntilMs: 1e12, generation: Buffer.alloc(8) };
const payload = Buffer.alloc(800);
const envelope = encodeEnvelope(fields, payload);
print(
  'envelope of 800 bytes',
  {
    encode: nanoseconds(() => encodeEnvelope(fields, payload), 200_000),
    parse: nanoseconds(() => parseEnvelope(envelope), 500_000),
  },
  'parse',
);

const cases: [string, (i: number) => unknown, number][] = [
  ['profile, 40 values', profile, 50_000],
  ['profile with dates', datedProfile, 50_000],
  ['80 rows', rows, 3000],
];
for (const [name, make, calls] of cases) {
  const values = indexes.map(make);
  const fresh = (count: number): unknown[] => Array.from({ length: count }, (_, i) => make(i & 31));
  print(
    name,
    {
      copyValue: nanoseconds((i) => copyValue(values[i]), calls),
      'copyValue, frozen': nanoseconds((i) => copyValue(values[i], { frozen: true }), calls),
      freezeDeep: once(fresh(calls), freezeDeep),
      structuredClone: nanoseconds((i) => structuredClone(values[i]), calls),
      'JSON round trip': nanoseconds((i) => JSON.parse(JSON.stringify(values[i])), calls),
    },
    'copyValue',
  );
}

/** Freezing is only work the first time. */
function once(values: readonly unknown[], call: (value: unknown) => unknown): number {
  const start = performance.now();
  for (const value of values) call(value);
  return ((performance.now() - start) * 1e6) / values.length;
}
