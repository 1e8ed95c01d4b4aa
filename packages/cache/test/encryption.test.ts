import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { startRedis, until, type StandaloneRedis } from '../../../test/servers/index.ts';
import { sleep } from '../../../test/support/sleep.ts';
import { createTiers, type Tiers, type TiersOptions } from '../src/index.ts';

const CANARY = 'canary-8f1d2c';
const KEY_TEXT = Buffer.from('a key that must never be shown!!').toString('base64');
const encryption = { keys: { k1: KEY_TEXT }, current: 'k1' };
const rotated = { keys: { k1: KEY_TEXT, k2: Buffer.alloc(32, 2) }, current: 'k2' };
const tiers = { session: { ttl: '5m', sensitive: true } };
const open: Tiers[] = [];
let server: StandaloneRedis;
let raw: Redis;

async function kitWith(options: Partial<TiersOptions>): Promise<Tiers> {
  const kit = createTiers({ redis: server.url, ...options });
  open.push(kit);
  await kit.ready();
  return kit;
}

const bytesOf = async (key: string): Promise<Buffer> => (await raw.getBuffer(key)) ?? Buffer.alloc(0);

/** What is on the disk after a dump. */
async function dump(): Promise<Buffer> {
  await raw.config('SET', 'rdbcompression', 'no');
  await raw.save();
  const [, folder = ''] = await raw.config('GET', 'dir');
  const [, name = ''] = await raw.config('GET', 'dbfilename');
  return readFile(join(folder, name));
}

beforeEach(async () => {
  server = await startRedis();
  raw = new Redis(server.url);
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((kit) => kit.close()));
  raw.disconnect();
  await server.stop();
});

it('leaves no word of a sensitive value in Redis, whichever way it was stored', async () => {
  const kit = await kitWith({ encryption, tiers, compression: { threshold: 100 } });
  const scope = kit.session('s');
  const large = { text: `${CANARY} `.repeat(100) };
  await scope.set('set', CANARY);
  await scope.set('large', large);
  await scope.setMany([['many', CANARY]]);
  await scope.getOrSet('loaded', () => CANARY);
  await scope.set('undone', CANARY, { sensitive: false });
  const open = kit.project('p');
  await open.set('set', CANARY, { sensitive: true });
  await open.setMany([['many', { CANARY }]], { sensitive: true });
  await open.getOrSet('loaded', () => CANARY, { sensitive: true });
  await open.set('control', 'in the clear');
  const dumped = await dump();
  expect(dumped.includes('in the clear')).toBe(true);
  expect(dumped.includes(CANARY)).toBe(false);
  const reader = await kitWith({ encryption, tiers });
  expect(await reader.session('s').getMany(['set', 'large', 'many', 'loaded', 'undone'])).toEqual([
    CANARY,
    large,
    CANARY,
    CANARY,
    CANARY,
  ]);
  expect(await reader.project('p').getMany(['set', 'many', 'loaded'])).toEqual([CANARY, { CANARY }, CANARY]);
});

it('encrypts a load that a sensitive caller joined after another had begun it', async () => {
  const scope = (await kitWith({ encryption })).session('s');
  let finish = (_value: string): void => {};
  const value = new Promise<string>((resolve) => (finish = resolve));
  const first = scope.getOrSet('k', () => value);
  const second = scope.getOrSet('k', () => 'never', { sensitive: true });
  await until('the load runs', async () => (await raw.exists('session:{s}~lease:k')) === 1);
  finish(CANARY);
  expect(await Promise.all([first, second])).toEqual([CANARY, CANARY]);
  expect((await bytesOf('session:{s}:k')).length).toBeGreaterThan(0);
  expect((await bytesOf('session:{s}:k')).includes(CANARY)).toBe(false);
});

it('takes ciphertexts that were swapped or moved for corrupt ones: a miss, counted, removed', async () => {
  const writer = (await kitWith({ encryption, tiers })).session('s');
  const kit = await kitWith({ encryption, tiers, l1: false });
  await writer.setMany([
    ['a', 'A'],
    ['b', 'B'],
  ]);
  const [a, b] = [await bytesOf('session:{s}:a'), await bytesOf('session:{s}:b')];
  await raw.mset({ 'session:{s}:a': b, 'session:{s}:b': a, 'session:{s}:c': a });
  const scope = kit.session('s');
  expect(await scope.getMany(['a', 'b', 'c'])).toEqual([undefined, undefined, undefined]);
  await until(
    'they are removed',
    async () => (await raw.exists('session:{s}:a', 'session:{s}:b', 'session:{s}:c')) === 0,
  );
  expect(kit.stats().tiers['session']?.corrupt).toBe(3);
  await raw.set('session:{s}:a', a);
  expect(await scope.get('a')).toBe('A');
});

it('does not open what was encrypted for another database', async () => {
  await (await kitWith({ encryption, tiers })).session('s').set('k', 1);
  const elsewhere = (await kitWith({ redis: `${server.url}/1`, encryption, tiers })).session('s');
  const twin = (await kitWith({ encryption, tiers })).session('s');
  await raw.copy('session:{s}:k', 'session:{s}:k', 'DB', 1);
  await raw.copy('session:{s}', 'session:{s}', 'DB', 1);
  expect(await twin.get('k')).toBe(1);
  expect(await elsewhere.get('k')).toBeUndefined();
});

it('takes every changed or missing byte of a ciphertext for a miss', async () => {
  const scope = (await kitWith({ encryption, tiers, l1: false })).session('s');
  await scope.set('k', 'v');
  const good = await bytesOf('session:{s}:k');
  for (let at = 33; at < good.length; at++) {
    const changed = Buffer.from(good);
    changed[at] = (changed[at] ?? 0) ^ 1;
    await raw.set('session:{s}:k', changed);
    expect(await scope.get('k')).toBeUndefined();
  }
  for (const cut of [1, 4, 12, 15, 16]) {
    await raw.set('session:{s}:k', good.subarray(0, -cut));
    expect(await scope.get('k')).toBeUndefined();
  }
  await raw.set('session:{s}:k', good);
  expect(await scope.get('k')).toBe('v');
});

it('reads older keys, and leaves alone what another key encrypted, until it loads that itself', async () => {
  const [older, newer] = [
    await kitWith({ encryption, tiers, l1: false }),
    await kitWith({ encryption: rotated, tiers, l1: false }),
  ];
  const [before, after] = [older.session('s'), newer.session('s')];
  await before.set('old', 1);
  await after.set('new', 2);
  expect(await after.get('old')).toBe(1);
  const bytes = await bytesOf('session:{s}:new');
  expect(await before.get('new')).toBeUndefined();
  expect(await before.getMany(['new', 'old'])).toEqual([undefined, 1]);
  expect(await bytesOf('session:{s}:new')).toEqual(bytes);
  expect(older.stats().tiers['session']?.corrupt).toBe(0);
  expect(await before.getOrSet('new', () => 3)).toBe(3);
  let loads = 0;
  expect(await before.getOrSet('new', () => ++loads)).toBe(3);
  expect(await after.get('new')).toBe(3);
  const keyless = (await kitWith({ l1: false })).session('s');
  expect(await keyless.get('new')).toBeUndefined();
  expect(await before.get('new')).toBe(3);
});

it('does not read from a sensitive tier what is not encrypted, and removes it', async () => {
  const careless = (await kitWith({})).session('s');
  await careless.set('k', CANARY);
  const kit = await kitWith({ encryption, tiers });
  expect(await kit.session('s').get('k')).toBeUndefined();
  await until('it is removed', async () => (await raw.exists('session:{s}:k')) === 0);
  expect(await kit.session('s').getOrSet('k', () => 'loaded')).toBe('loaded');
});

it.each([['memory' as const], ['null' as const], ['redis' as const]])(
  'refuses sensitive values without a key on %s',
  async (backend) => {
    const redis = backend === 'redis' ? server.url : backend;
    const options = expect.objectContaining({ code: 'ERR_CACHE_OPTIONS' }) as Error;
    expect(() => createTiers({ redis, tiers })).toThrow(options);
    const kit = await kitWith({ redis });
    expect(() => kit.tier('mine', { ttl: 1_000, sensitive: true })).toThrow(options);
    const scope = kit.session('s');
    const missing = { code: 'ERR_VALUE_KEY_MISSING' };
    let loads = 0;
    await expect(scope.set('k', CANARY, { sensitive: true })).rejects.toMatchObject(missing);
    await expect(scope.setMany([['k', CANARY]], { sensitive: true })).rejects.toMatchObject(missing);
    await expect(scope.getOrSet('k', () => ++loads, { sensitive: true })).rejects.toMatchObject(missing);
    expect([loads, await scope.has('k')]).toEqual([0, false]);
  },
);

it('refuses a tier that is sensitive in one place and not in another', async () => {
  const kit = await kitWith({ encryption });
  kit.tier('mine', { ttl: 1_000, sensitive: true });
  expect(() => kit.tier('mine', { ttl: 1_000 })).toThrow(
    expect.objectContaining({ code: 'ERR_CACHE_OPTIONS' }) as Error,
  );
});

it('shows no key and no sensitive value in errors, logs and what it prints', async () => {
  const shown: unknown[] = [];
  const log = (...line: unknown[]): void => void shown.push(line);
  const logger = { debug: log, info: log, warn: log, error: log };
  const failed = async (act: () => unknown): Promise<void> => {
    try {
      await act();
      expect.unreachable();
    } catch (error) {
      shown.push(error);
    }
  };
  for (const keys of [{ k1: `${KEY_TEXT}x` }, { k1: KEY_TEXT.slice(4) }, { 'a b': KEY_TEXT }, { k2: KEY_TEXT }]) {
    await failed(() => createTiers({ redis: server.url, encryption: { keys, current: 'k1' }, logger }));
  }
  const kit = await kitWith({ encryption, tiers, logger, l1: false });
  const scope = kit.session('s');
  await failed(() => scope.set('k', { CANARY: () => CANARY }));
  await scope.getOrSet('unstorable', () => Symbol(CANARY));
  await scope.set('k', CANARY);
  await raw.copy('session:{s}:k', 'session:{s}:moved');
  await scope.get('moved');
  await failed(() => scope.getOrSet('fails', () => Promise.reject(new Error('of the loader'))));
  await server.process.end('SIGKILL');
  await scope.set('k', CANARY);
  await failed(() => scope.set('k', CANARY, { required: true }));
  shown.push(kit, scope, kit.stats());
  const text = inspect(shown, { depth: 12, showHidden: true, maxStringLength: Infinity });
  expect(text).toContain('ERR_CACHE_OPTIONS');
  expect(text).not.toContain(KEY_TEXT.slice(4, 30));
  expect(text).not.toContain('a key that must');
  expect(text).not.toContain(CANARY);
});

it('keeps encrypted what was, when a load without that option finds it unchanged', async () => {
  const kit = await kitWith({ encryption });
  const scope = kit.project('p');
  await scope.set('k', CANARY, { sensitive: true, ttl: 50, grace: '1h' });
  await sleep(100);
  expect(await scope.getOrSet('k', (context) => context.notModified(), { ttl: '1h', grace: '1h' })).toBe(CANARY);
  await until('it is stored again', async () => ((await scope.ttl('k')) ?? 0) > 60_000);
  expect((await bytesOf('project:{p}:k')).includes(CANARY)).toBe(false);
});

it('leaves no word of a sensitive repository in Redis while an entity is written', async () => {
  const kit = await kitWith({ encryption });
  let answer!: () => void;
  const written = new Promise<void>((resolve) => (answer = resolve));
  const row = { id: '1', name: CANARY, language: 'en' };
  const source = {
    findById: async () => row,
    findBy: async () => [row],
    findAll: async () => [row],
    update: () => written,
  };
  const heroes = kit.repository(source, { entity: 'hero', indexes: ['language'], sensitive: true });
  const update = heroes.update('1', { language: 'en' });
  await until('the list is marked', async () => (await raw.exists('hero:language:en')) === 1);
  expect(await heroes.findBy('language', 'en')).toEqual([row]);
  for (const key of await raw.keys('hero*')) expect((await bytesOf(key)).includes(CANARY)).toBe(false);
  answer();
  await update;
});
