// node --conditions=@tierkit/source --import tsx bench/codec.bench.ts
import { Packr } from 'msgpackr';
import { createCodec } from '@tierkit/core';
import { inspectValue } from '../src/inspect-value.ts';
import { createPrescan } from '../src/prescan.ts';
import { datedProfile, profile, rows } from './documents.ts';
import { nanoseconds, print } from './measure.ts';

const limits = { maxBytes: 8_388_608, maxDepth: 64, maxNodes: 500_000 };
const codec = createCodec();
const prescan = createPrescan(limits);
const packr = new Packr({ useRecords: false, mapsAsObjects: true, structuredClone: false, variableMapSize: true });

const cases: [string, (i: number) => unknown, number][] = [
  ['profile, 40 values', profile, 50_000],
  ['profile with dates', datedProfile, 20_000],
  ['80 rows', rows, 3000],
];
for (const [name, make, calls] of cases) {
  const values = Array.from({ length: 32 }, (_, i) => make(i));
  const encoded = values.map((value) => codec.encode(value));
  const packed = values.map((value) => Buffer.from(packr.pack(value)));
  const json = values.map((value) => JSON.stringify(value));
  print(
    `${name}: ${encoded[0]?.length} bytes, JSON ${json[0]?.length}`,
    {
      'msgpackr unpack': nanoseconds((i) => packr.unpack(packed[i]!), calls),
      prescan: nanoseconds((i) => prescan(packed[i]!, 0, 64), calls),
      'codec.decode': nanoseconds((i) => codec.decode(encoded[i]!), calls),
      'JSON.parse': nanoseconds((i) => JSON.parse(json[i]!), calls),
      'msgpackr pack and copy': nanoseconds((i) => Buffer.from(packr.pack(values[i], 1024)), calls),
      inspect: nanoseconds((i) => inspectValue(values[i], limits), calls),
      'codec.encode': nanoseconds((i) => codec.encode(values[i]), calls),
      'JSON.stringify to Buffer': nanoseconds((i) => Buffer.from(JSON.stringify(values[i])), calls),
    },
    'msgpackr unpack',
  );
}
