import { randomBytes } from 'node:crypto';
import { constants, brotliCompressSync } from 'node:zlib';
import { encodeEnvelope, PAYLOAD_COMPRESSED } from '@tierkit/core';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, expect, inject, it } from 'vitest';
import { until } from '../../../test/servers/index.ts';
import { sharedRedis } from '../../../test/support/shared-redis.ts';
import { createTiers, type Tiers, type TiersOptions } from '../src/index.ts';

const MIB = 1_048_576;
const document = Array.from({ length: 500 }, (_, line) => ({
  line,
  rule: 'no-unused-vars',
  text: `x${line} is unused`,
}));
const open: Tiers[] = [];
let prefix: string;
let raw: Redis;

async function tiersWith(options: Partial<TiersOptions>): Promise<Tiers> {
  const tiers = createTiers({ redis: sharedRedis(), prefix, ...options });
  open.push(tiers);
  await tiers.ready();
  return tiers;
}

const sizeOf = (name: string): Promise<number> => raw.strlen(`${prefix}session:{s}:${name}`);

beforeEach(() => {
  prefix = `t${randomBytes(6).toString('hex')}:`;
  raw = new Redis(inject('redisUrl'));
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((tiers) => tiers.close()));
  raw.disconnect();
});

it('stores what is large in less, by each way of storing, and gives it back to those who compress nothing', async () => {
  const [packing, plain] = [await tiersWith({ compression: { threshold: 1_000 } }), await tiersWith({ l1: false })];
  const scope = packing.session('s');
  const reader = plain.session('s');
  await reader.set('plain', document);
  await scope.set('set', document);
  await scope.setMany([
    ['many', document],
    ['small', 1],
  ]);
  await scope.getOrSet('loaded', () => document);
  const full = await sizeOf('plain');
  for (const name of ['set', 'many', 'loaded']) {
    expect(await sizeOf(name)).toBeLessThan(full / 4);
    expect(await reader.get(name)).toEqual(document);
    expect(await scope.get(name)).toEqual(document);
  }
  expect(await reader.getMany(['set', 'small', 'loaded'])).toEqual([document, 1, document]);
  expect(await reader.getOrSet('many', () => 'loaded')).toEqual(document);
});

it('leaves what gains nothing as it is, and what is below the threshold', async () => {
  const scope = (await tiersWith({ compression: {} })).session('s');
  const noise = randomBytes(10_000);
  await scope.set('noise', noise);
  await scope.set('short', 'x'.repeat(4_000));
  await scope.set('long', 'x'.repeat(4_100));
  expect(await sizeOf('noise')).toBeGreaterThan(10_000);
  expect(await sizeOf('short')).toBeGreaterThan(4_000);
  expect(await sizeOf('long')).toBeLessThan(100);
});

it('counts in the in-process level what the value takes there, not what it takes in Redis', async () => {
  const options = { compression: {}, l1: { maxBytes: 80_000 } };
  const [writer, reader] = [await tiersWith(options), await tiersWith(options)];
  await writer.session('s').set('k', 'x'.repeat(9_000));
  await writer.session('s').set('over an eighth', 'x'.repeat(11_000));
  const scope = reader.session('s');
  expect(await scope.getMany(['k', 'over an eighth'])).toHaveLength(2);
  expect(reader.stats().l1).toMatchObject({ entries: 1 });
  expect(reader.stats().l1.bytes).toBeGreaterThan(9_000);
});

it.each([
  [
    'a bomb of a gibibyte',
    () => brotliCompressSync(Buffer.alloc(2 ** 30), { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } }),
  ],
  ['bytes that are not compressed', () => randomBytes(1_000)],
  ['nothing', () => Buffer.alloc(0)],
])('takes %s for a miss, removes it and counts it', async (_what, make) => {
  const tiers = await tiersWith({});
  const scope = tiers.session('s');
  await scope.set('other', 1);
  const generation = await raw.getBuffer(`${prefix}session:{s}`);
  const times = { expiresAtMs: Date.now() + 60_000, freshUntilMs: Date.now() + 60_000 };
  const key = `${prefix}session:{s}:k`;
  const fields = { ...times, generation: generation ?? Buffer.alloc(8), flags: PAYLOAD_COMPRESSED };
  await raw.set(key, encodeEnvelope(fields, make()), 'PX', 60_000);
  const before = process.memoryUsage().external;
  const startedMs = process.cpuUsage().user;
  expect(await scope.get('k')).toBeUndefined();
  expect((process.cpuUsage().user - startedMs) / 1_000).toBeLessThan(200);
  expect(process.memoryUsage().external - before).toBeLessThan(64 * MIB);
  await until('the bytes are removed', async () => (await raw.exists(key)) === 0);
  expect(tiers.stats().tiers['session']?.corrupt).toBe(1);
  expect(await scope.getOrSet('k', () => 'loaded')).toBe('loaded');
  expect(await scope.has('k')).toBe(true);
});

it.each([[0], [-1], [1.5], [Number.NaN]])('refuses %d as a threshold', (threshold) => {
  expect(() => createTiers({ redis: 'memory', compression: { threshold } })).toThrow(
    expect.objectContaining({ code: 'ERR_CACHE_OPTIONS' }) as Error,
  );
});
