import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { text } from 'node:stream/consumers';
import fc from 'fast-check';
import { Packr } from 'msgpackr';
import { expect, it, onTestFinished } from 'vitest';
import { createCodec } from '@tierkit/core';
import { bundle } from '../../../test/support/bundle.ts';
import { createPrescan } from '../src/prescan.ts';
import type { Cost } from './support/decode-hostile.ts';
import { SHAPES } from './support/hostile-shapes.ts';

const codec = createCodec();
const corrupt: { asymmetricMatch(other: unknown): boolean } = expect.objectContaining({ code: 'ERR_VALUE_CORRUPT' });
const decodeHex = (hex: string): unknown => codec.decode(Buffer.from(hex, 'hex'));

it.each([
  ['nothing', ''],
  ['a tag mark and nothing', 'c1'],
  ['two values', '0101'],
  ['a value and a half', '9201'],
  ['the byte that is never used', 'c1c1'],
  ['a text that is cut', 'a3ab'],
  ['a key that is cut', '81a3ab'],
  ['a key and no value', '81a161'],
  ['a key that is no text', '810101'],
  ['a number that is cut', 'cb0000'],
  ['a length that is cut', 'dd0000'],
  ['an array of 2^32-1', 'ddffffffff'],
  ['a map of 2^32-1', 'dfffffffff'],
  ['a text of 2^32-1', 'dbffffffff'],
  ['binary of 2^32-1', 'c1c6ffffffff'],
  ['an extension of 2^32-1', 'c9ffffffff42'],
  ['float32', 'ca3fc00000'],
  ['64-bit integers', '92cf0000000000000001d30000000000000001'],
  ['binary in a plain value', 'c401ff'],
  ['undefined as an extension', 'd40000'],
  ['an inline record', 'd4724091a16101'],
  ['an inline record of two bytes', 'd572400091a16101'],
  ['a Set', 'd473009101'],
  ['a regular expression', 'd4780092a32878292b29a0'],
  ['an error', 'd4650092a54572726f72a178'],
  ['a bigint extension', 'c7094200ffffffffffffffff'],
  ['a typed array extension', 'c703740800ff'],
  ['a date extension', 'd6ff00000000'],
  ['bundled text', 'd662000000049101a161a162'],
  ['references', `d66900000001${'92d67000000001'.repeat(8)}01`],
  ['an unknown tag', 'c181a20078c0'],
  ['a tag with a second key', 'c182a20075c0a16101'],
  ['a tag behind another key', 'c182a16101a20075c0'],
  ['a date that is no number', 'c181a20064a0'],
  ['a bigint that is no number', 'c181a20069a178'],
  ['a bigint in capitals', 'c181a20069a14f'],
  ['binary outside of its tag', 'c1c401ff'],
  ['binary of an unknown kind', 'c181a20062926300'],
  ['binary of the kind "toString"', 'c181a2006292a8746f537472696e67c400'],
  ['floats of 7 bytes', 'c181a200629209c40700000000000000'],
  ['a map of one and a half entries', 'c181a2006d93010203'],
  ['a map that is a map', 'c181a2006d81a16101'],
  ['a set that is a text', 'c181a20065a161'],
  ['an object without prototype that is a list', 'c181a2006e90'],
  ['an object without prototype that is a tag', 'c181a2006e81a20064c0'],
  ['an escaped key that needs none', 'c181a3017361c0'],
  ['an escaped index', 'c181a50173393030c0'],
  ['an escape that is no escape', 'c181a2017ac0'],
  ['hex that is no hex', 'c181a601687a7a7a7ac0'],
])('calls %s corrupt', (_what, hex) => {
  expect(() => decodeHex(hex)).toThrow(corrupt);
});

it('calls more than 64 levels corrupt, and takes 64', () => {
  expect(decodeHex(`${'91'.repeat(64)}01`)).toBeInstanceOf(Array);
  expect(() => decodeHex(`${'91'.repeat(65)}01`)).toThrow(corrupt);
  expect(() => decodeHex(`${'81a161'.repeat(65)}01`)).toThrow(corrupt);
  expect(() => decodeHex('91'.repeat(1_000_000))).toThrow(corrupt);
  expect(() => decodeHex(`c1${'81a2006d9201'.repeat(66)}01`)).toThrow(corrupt);
});

it('calls what is over its own limits corrupt', () => {
  const value = Array.from({ length: 50 }).fill('x'.repeat(10));
  const bytes = codec.encode(value);
  expect(() => createCodec({ maxBytes: bytes.length - 1 }).decode(bytes)).toThrow(corrupt);
  expect(() => createCodec({ maxNodes: 50 }).decode(bytes)).toThrow(corrupt);
  expect(createCodec({ maxNodes: 51, maxBytes: bytes.length, maxDepth: 1 }).decode(bytes)).toEqual(value);
});

it('quotes nothing of the bytes in its error', () => {
  const error = decodeError(Buffer.concat([codec.encode({ token: 'secret-value' }), Buffer.from([1])]));
  expect(error).toEqual(corrupt);
  expect(JSON.stringify([error, (error as Error).message, (error as Error).cause])).not.toContain('secret');
});

it('decodes arbitrary bytes or calls them corrupt, nothing else', () => {
  const token = fc.constantFrom(
    0x81,
    0x82,
    0x91,
    0x92,
    0xa1,
    0xa2,
    0xc0,
    0xc4,
    0xd9,
    0xde,
    0xdc,
    0xdf,
    0xcb,
    0x01,
    0x00,
  );
  const bytes = fc.array(fc.oneof(token, fc.nat(255)), { maxLength: 60 });
  fc.assert(
    fc.property(bytes, fc.boolean(), (array, tagged) => {
      expectDecodesOrCorrupt(Buffer.from(tagged ? [0xc1, ...array] : array));
    }),
    { numRuns: 20_000 },
  );
});

it('decodes damaged encodings or calls them corrupt, nothing else', () => {
  const value = fc.anything({ withBigInt: true, withDate: true, withMap: true, withSet: true, withTypedArray: true });
  fc.assert(
    fc.property(value, fc.nat(), fc.nat(255), fc.nat(), (original, at, byte, cut) => {
      fc.pre(original !== undefined);
      const bytes = codec.encode(original);
      const damaged = Buffer.from(bytes);
      damaged[at % damaged.length] = byte;
      expectDecodesOrCorrupt(damaged);
      const shorter = bytes.subarray(0, cut % bytes.length);
      expect(() => codec.decode(shorter)).toThrow(corrupt);
      expect(() => codec.decode(Buffer.concat([bytes, Buffer.from([byte])]))).toThrow(corrupt);
    }),
    { numRuns: 5000 },
  );
});

const prescan = createPrescan({ maxDepth: 64, maxNodes: 500_000 });
const packr = new Packr({ useRecords: false, mapsAsObjects: true, structuredClone: false });

function expectDecodesOrCorrupt(bytes: Buffer): void {
  expect(decodeError(bytes)).toSatisfy((error) => error === undefined || corrupt.asymmetricMatch(error));
  // What the scan admits, msgpackr reads to the end.
  const sound = bytes[0] !== 0xc1 && prescan(bytes, 0, 64) === 'sound';
  expect(() => sound && packr.unpack(bytes)).not.toThrow();
}

function decodeError(bytes: Buffer): unknown {
  try {
    codec.decode(bytes);
    return undefined;
  } catch (error) {
    return error;
  }
}

it('spends at most 50 ms and 64 MB on any bytes', { timeout: 120_000 }, async () => {
  const program = await bundle(fileURLToPath(new URL('support/decode-hostile.ts', import.meta.url)));
  onTestFinished(() => program.remove());
  const args = ['--expose-gc', '--single-threaded-gc', program.file];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const costs = (await text(child.stdout))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Cost);
  expect(costs.map((cost) => cost.shape)).toEqual(Object.keys(SHAPES));
  // Twice the time of an idle machine: other work slows the processor's caches down.
  expect(costs.filter((cost) => cost.refused || cost.heapMb > 64 || cost.ms > 100)).toEqual([]);
});
