import { randomBytes } from 'node:crypto';
import { encodeEnvelope } from '@tierkit/core';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, expect, inject, it } from 'vitest';
import { startProxy, until } from '../../../test/servers/index.ts';
import { sharedRedis } from '../../../test/support/shared-redis.ts';
import { sleep } from '../../../test/support/sleep.ts';
import { createTiers, type Scope, type Tiers, type TiersOptions } from '../src/index.ts';

let prefix: string;
let raw: Redis;
let tiers: Tiers;

beforeEach(async () => {
  prefix = `t${randomBytes(6).toString('hex')}:`;
  raw = new Redis(inject('redisUrl'));
  tiers = createTiers({ redis: sharedRedis(), prefix, maxValueBytes: 100_000 });
  await tiers.ready();
});
afterEach(async () => {
  await tiers.close();
  raw.disconnect();
});

const key = (): string => `${prefix}session:{s}:k`;

async function generation(): Promise<Buffer> {
  await tiers.session('s').set('other', 1);
  const bytes = await raw.getBuffer(`${prefix}session:{s}`);
  if (bytes === null) throw new Error('no generation');
  return bytes;
}

it.each([
  ['text', Buffer.from('not an envelope')],
  ['nothing', Buffer.alloc(0)],
  ['a short envelope', Buffer.from([0xc1, 1, 0])],
])('takes %s for a miss and removes it', async (_, bytes) => {
  const scope = tiers.session('s');
  await generation();
  await raw.set(key(), bytes);
  expect(await scope.get('k')).toBeUndefined();
  await until('the bytes are removed', async () => (await raw.exists(key())) === 0);
  expect(await scope.getOrSet('k', () => 'loaded')).toBe('loaded');
});

it('takes a payload that cannot be decoded for a miss, removes it and counts it', async () => {
  const scope = tiers.session('s');
  const times = { expiresAtMs: Date.now() + 60_000, freshUntilMs: Date.now() + 60_000 };
  const nested = Buffer.alloc(5_000, 0x91);
  await raw.set(key(), encodeEnvelope({ ...times, generation: await generation() }, nested));
  expect(await scope.get('k')).toBeUndefined();
  await until('the bytes are removed', async () => (await raw.exists(key())) === 0);
  expect(tiers.stats().tiers['session']?.corrupt).toBe(1);
});

it('leaves an envelope of a later version alone, and takes it for a miss', async () => {
  const scope = tiers.session('s');
  const later = encodeEnvelope(
    { expiresAtMs: Date.now() + 60_000, freshUntilMs: Date.now() + 60_000, generation: await generation() },
    Buffer.from([1]),
  );
  later[1] = 2;
  await raw.set(key(), later);
  expect(await scope.get('k')).toBeUndefined();
  expect(await scope.has('k')).toBe(false);
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(await raw.exists(key())).toBe(1);
});

it.each([
  ['of a later version', 1, 2],
  ['with flags of a later release', 2, 4],
])('leaves an envelope %s alone until a load replaces it, which waits for nobody', async (_, at, byte) => {
  const scope = tiers.session('s');
  const times = { expiresAtMs: Date.now() + 60_000, freshUntilMs: Date.now() + 60_000 };
  const later = encodeEnvelope({ ...times, generation: await generation() }, Buffer.from([1]));
  later[at] = byte;
  await raw.set(key(), later);
  expect(await scope.getMany(['k', 'other'])).toEqual([undefined, 1]);
  expect(await raw.getBuffer(key())).toEqual(later);
  expect(tiers.stats().tiers['session']?.corrupt).toBe(0);
  const startedMs = performance.now();
  expect(await scope.getOrSet('k', () => 'loaded')).toBe('loaded');
  expect(performance.now() - startedMs).toBeLessThan(2_000);
  expect(await scope.has('k')).toBe(true);
});

it('loads in the place of an entry that cannot be decoded', async () => {
  const scope = tiers.session('s');
  const times = { expiresAtMs: Date.now() + 60_000, freshUntilMs: Date.now() + 60_000 };
  await raw.set(key(), encodeEnvelope({ ...times, generation: await generation() }, Buffer.from([0xc7, 0xff])));
  expect(await scope.getOrSet('k', () => 'loaded')).toBe('loaded');
});

it('survives a key of another type where an entry or a generation should be', async () => {
  const scope = tiers.session('s');
  await raw.lpush(key(), 'x');
  expect(await scope.get('k')).toBeUndefined();
  expect(await scope.has('k')).toBe(false);
  expect(await scope.set('k', 1)).toBe(true);
  expect(await scope.get('k')).toBe(1);
  await raw.lpush(`${prefix}session:{broken}`, 'x');
  expect(await tiers.session('broken').get('k')).toBeUndefined();
  expect(await tiers.session('broken').set('k', 1)).toBe(false);
  expect(await tiers.session('broken').getOrSet('k', () => 2)).toBe(2);
});

it('ignores what is no message on its channel', async () => {
  const scope = tiers.session('s');
  await scope.set('k', 1);
  expect(await scope.get('k')).toBe(1);
  const channel = `${prefix}{tierkit}feed:0`;
  const origin = 'x'.repeat(12);
  const hostile = [
    '',
    'short',
    `${origin}?what`,
    `${origin}k`,
    `${origin}ksession:{s`,
    `${origin}p\n`,
    `${origin}s`,
    `${origin}l`,
  ];
  for (const message of hostile) expect(await raw.publish(channel, message)).toBeGreaterThan(0);
  await raw.publish(channel, randomBytes(1_000));
  await raw.publish(channel, `${origin}p${prefix}session:{s}\n${'*'.repeat(2_000)}`);
  await raw.publish(channel, `${origin}k${prefix}session:{s}:${'x'.repeat(2_000_000)}`);
  expect(await scope.get('k')).toBe(1);
  await scope.set('k', 2);
  expect(await scope.get('k')).toBe(2);
  expect(tiers.stats().coherent).toBe(true);
});

it('refuses a value over the size bound, and reads no larger one', async () => {
  const scope = tiers.session('s');
  await expect(scope.set('k', 'x'.repeat(200_000))).rejects.toMatchObject({ code: 'ERR_VALUE_TOO_LARGE' });
  const value = 'x'.repeat(200_000);
  expect(await scope.getOrSet('k', () => value)).toBe(value);
  expect(await scope.has('k')).toBe(false);
});

it('cannot be led out of its scope by an id, a key or a pattern', async () => {
  const victim = tiers.session('victim');
  await victim.set('secret', 1);
  const ids = ['victim}:secret', '{victim}', 'victim:secret', 'x}{victim', '*', 'victim%7D', '../victim'];
  for (const id of ids) {
    expect(await tiers.session(id).get('secret')).toBeUndefined();
    await tiers.session(id).clear();
    await tiers.session(id).deleteByPattern('*');
  }
  for (const name of ['session:{victim}:secret', 'session:%7Bvictim%7D:secret', '{victim}']) {
    expect(await tiers.global.get(name)).toBeUndefined();
    await tiers.global.delete(name);
  }
  await tiers.global.deleteByPattern('session*');
  await tiers.global.deleteByPattern('*');
  await tiers.global.clear();
  expect(await victim.get('secret')).toBe(1);
  for (const id of ['', Number.NaN, null as never, {} as never]) {
    expect(() => tiers.session(id)).toThrow(expect.objectContaining({ code: 'ERR_KEY_INVALID' }) as Error);
  }
});

it.each<[string, TiersOptions['tiers'], (scope: Scope) => Promise<unknown>, unknown]>([
  ['is read', {}, (scope) => scope.get('k'), undefined],
  ['is read among others', {}, (scope) => scope.getMany(['other', 'k']), [undefined, undefined]],
  ['is loaded', {}, (scope) => scope.getOrSet('k', () => 'loaded'), 'loaded'],
  ['is read in a hurry', { session: { ttl: '1h', redisTimeout: 50 } }, (scope) => scope.get('k'), undefined],
])('removes a value that is too large, and no other, when it %s and does not arrive', async (_, of, call, answer) => {
  const link = await startProxy({ target: { port: Number(new URL(inject('redisUrl')).port) } });
  const far = createTiers({
    redis: link.url,
    prefix,
    maxValueBytes: 100_000,
    ...(of === undefined ? {} : { tiers: of }),
  });
  await far.ready();
  await tiers.session('s').setMany([
    ['k', 1],
    ['other', 2],
  ]);
  await raw.setrange(key(), 300_000, 'x');
  link.hold();
  expect(await call(far.session('s'))).toEqual(answer);
  await link.normal();
  await until('the value is removed', async () => (await raw.exists(key())) === 0);
  expect(await tiers.session('s').get('other')).toBe(2);
  await far.close();
  await link.stop();
});

it('tells other instances of a pattern with a line break', async () => {
  const other = createTiers({ redis: sharedRedis(), prefix });
  await other.ready();
  const early = other.session('s').getOrSet('l\nb', () => sleep(300, 'old'));
  await sleep(100);
  expect(await tiers.session('s').deleteByPattern('l\n*')).toMatchObject({ confirmed: true });
  // The other instance hears of it a moment later.
  await sleep(50);
  expect(await other.session('s').getOrSet('l\nb', () => 'new')).toBe('new');
  expect(await early).toBe('old');
  expect(await other.session('s').get('l\nb')).toBe('new');
  await other.close();
});
