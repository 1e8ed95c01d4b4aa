import { randomBytes } from 'node:crypto';
import { encodeEnvelope } from '@tierkit/core';
import { createRedis } from '@tierkit/redis';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, expect, inject, it } from 'vitest';
import { startRedis, until } from '../../../test/servers/index.ts';
import { PATIENT, sharedRedis } from '../../../test/support/shared-redis.ts';
import { sleep } from '../../../test/support/sleep.ts';
import { createTiers, type Tiers } from '../src/index.ts';
import { RedisTagSource } from '../src/tags/redis-tag-source.ts';
import { decodeStampedTags, encodeStampedTags } from '../src/tags/stamped-tags.ts';

/** How long a known table is trusted, and a little. */
const TRUST_MS = 3_100;

let prefix: string;
let raw: Redis;
let tiers: Tiers;
const open: Tiers[] = [];

async function another(options: { l1?: false } = {}): Promise<Tiers> {
  const made = createTiers({ redis: sharedRedis(), prefix, ...options });
  open.push(made);
  await made.ready();
  return made;
}

beforeEach(async () => {
  prefix = `t${randomBytes(6).toString('hex')}:`;
  raw = new Redis(inject('redisUrl'));
  tiers = await another();
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
  raw.disconnect();
});

/** Commands that a server of its own runs during an action, scripts counted as the commands in them. */
async function commandsOf(client: Redis, act: () => Promise<unknown>): Promise<Record<string, number>> {
  await client.config('RESETSTAT');
  await act();
  const stats = await client.info('commandstats');
  const background = new Set(['config|resetstat', 'info', 'publish', 'time', 'ping', 'hello', 'client|setinfo']);
  const counts: Record<string, number> = {};
  for (const [, name = '', calls] of stats.matchAll(/cmdstat_(\S+?):calls=(\d+)/g)) {
    // The first run on a connection sends the source.
    const counted = name === 'eval' ? 'evalsha' : name;
    if (!background.has(name)) counts[counted] = (counts[counted] ?? 0) + Number(calls);
  }
  return counts;
}

it('costs the same commands, in one round trip, for 10 tagged entries as for 20,000', async () => {
  const server = await startRedis();
  const client = new Redis(server.url);
  const own = createTiers({ redis: { url: server.url, ...PATIENT } });
  try {
    await own.ready();
    await own.session('warm').invalidateTags(['t']);
    for (const where of ['scope', 'everywhere']) {
      const costs: unknown[] = [];
      for (const size of [10, 20_000]) {
        const scope = own.session(`${where}${size}`);
        for (let from = 0; from < size; from += 5_000) {
          const entries = Array.from({ length: Math.min(5_000, size) }, (_, n) => [`k${from + n}`, n] as const);
          expect(await scope.setMany(entries, { tags: ['t', 'u'] })).toBe(true);
        }
        const change = where === 'scope' ? scope : own;
        costs.push(await commandsOf(client, () => change.invalidateTags(['t'])));
        expect(await scope.getMany(['k0', 'k9'])).toEqual([undefined, undefined]);
      }
      expect(costs[1]).toEqual(costs[0]);
      expect(costs[0]).toMatchObject({ evalsha: 1 });
    }
  } finally {
    await own.close();
    client.disconnect();
    await server.stop();
  }
});

it('reads an entry with warm tags in one command, and with cold ones in three', async () => {
  const server = await startRedis();
  const client = new Redis(server.url);
  const [writer, reader] = [
    createTiers({ redis: { url: server.url, ...PATIENT } }),
    createTiers({ redis: { url: server.url, ...PATIENT }, l1: false }),
  ];
  try {
    await Promise.all([writer.ready(), reader.ready()]);
    const scope = reader.session('s');
    const entries = ['a', 'b', 'c'].map((key) => [key, 1] as const);
    await writer.session('s').setMany(entries, { tags: ['t', 'u'] });
    const cold = await commandsOf(client, () => scope.get('a'));
    expect(cold).toEqual({ mget: 1, zmscore: 2 });
    expect(await commandsOf(client, () => scope.get('b'))).toEqual({ get: 1 });
    await writer.session('s').invalidateTags(['other']);
    await writer.session('s').set('b', 2, { tags: ['u', 'v'] });
    await sleep(20);
    expect(await commandsOf(client, () => scope.get('c'))).toEqual({ get: 1 });
    expect(await commandsOf(client, () => scope.get('b'))).toEqual({ get: 1 });
    expect(await commandsOf(client, () => scope.set('d', 2, { tags: ['u', 'v'] }))).toMatchObject({ evalsha: 3 });
    expect(await commandsOf(client, () => scope.set('d', 2, { tags: ['w'] }))).toMatchObject({ evalsha: 1 });
  } finally {
    await Promise.all([writer.close(), reader.close()]);
    client.disconnect();
    await server.stop();
  }
});

it('never brings entries back when a table of tags is lost', async () => {
  const lost = [
    { key: 'session:{s}~tags', scopeOf: (of: Tiers) => of.session('s'), invalidator: (of: Tiers) => of.session('s') },
    { key: '{tierkit}tags:global', scopeOf: (of: Tiers) => of.global, invalidator: (of: Tiers) => of.global },
    { key: '{tierkit}tags', scopeOf: (of: Tiers) => of.session('e'), invalidator: (of: Tiers) => of },
  ];
  const warm = await another({ l1: false });
  for (const { key, scopeOf, invalidator } of lost) {
    for (let count = 0; count < 3; count++) await invalidator(tiers).invalidateTags(['t']);
    await scopeOf(tiers).set('old', 1, { tags: ['t'] });
    expect(await scopeOf(warm).get('old')).toBe(1);
    expect(await raw.del(prefix + key)).toBe(1);
    expect(await scopeOf(await another()).get('old')).toBeUndefined();
    // The new table counts past where the old one stood.
    for (let count = 0; count < 5; count++) await invalidator(tiers).invalidateTags(['other']);
    expect(await scopeOf(await another()).get('old')).toBeUndefined();
    expect(await scopeOf(await another()).has('old')).toBe(false);
  }
  await sleep(20);
  // Whoever knew the lost table heard of the new one.
  for (const { scopeOf } of lost) expect(await scopeOf(warm).get('old')).toBeUndefined();
  await tiers.session('quiet').set('old', 1, { tags: ['t'] });
  expect(await warm.session('quiet').get('old')).toBe(1);
  await raw.del(`${prefix}session:{quiet}~tags`);
  await sleep(TRUST_MS);
  expect(await warm.session('quiet').get('old')).toBeUndefined();
  for (const { scopeOf } of lost) {
    expect(await scopeOf(tiers).set('new', 2, { tags: ['t'] })).toBe(true);
    expect(await scopeOf(await another()).get('new')).toBe(2);
  }
});

it('gives a table another identity each time, and makes it outlive what is stamped with it', async () => {
  const key = `${prefix}session:{s}~tags`;
  const identities = new Set<string | null>();
  for (let round = 0; round < 20; round++) {
    await raw.del(key);
    await (await another()).session('s').set('k', 1, { tags: ['t'], ttl: '30d' });
    identities.add(await raw.zscore(key, ' epoch'));
    for (const one of [key, `${prefix}{tierkit}tags`])
      expect(await raw.pttl(one)).toBeGreaterThanOrEqual(30 * 86_400_000);
    await Promise.all(open.splice(1).map((one) => one.close()));
  }
  expect(identities.size).toBe(20);
});

it('forgets the oldest of too many tags, and what was stored before they were invalidated', async () => {
  const redis = createRedis(sharedRedis());
  await redis.ready();
  const source = new RedisTagSource({ redis, channel: `${prefix}none`, announcement: () => '', maxTags: 3 });
  const key = `${prefix}{tierkit}tags`;
  const counts: number[] = [];
  for (const names of [['a'], ['b', 'c'], ['d'], ['e']]) counts.push((await source.invalidate(key, names)).at);
  expect(counts).toEqual([1, 2, 3, 4]);
  // What is not known any more counts as invalidated with the last that was forgotten.
  expect((await source.read(key, ['d', 'e', 'a', 'never'])).versions).toEqual([3, 4, 2, 2]);
  expect(await raw.zcard(key)).toBe(6);
  await redis.close();
});

it.each(['scope', 'everywhere'])(
  'drops entries on the other instance when a tag is invalidated (%s)',
  async (where) => {
    const two = await another();
    for (const scopeOf of [(of: Tiers) => of.session('c'), (of: Tiers) => of.global]) {
      const [mine, theirs] = [scopeOf(tiers), scopeOf(two)];
      await theirs.setMany(Object.entries({ k: 1, 'with space': 1 }), { tags: ['t', 'u'] });
      await theirs.set('kept', 1, { tags: ['u'] });
      await until('they are kept', async () => {
        await theirs.getMany(['k', 'with space', 'kept']);
        return theirs.peek('k') === 1 && theirs.peek('with space') === 1 && theirs.peek('kept') === 1;
      });
      await (where === 'scope' ? mine : tiers).invalidateTags(['t']);
      await until('they are dropped', async () => theirs.peek('k') === undefined, 1_000);
      expect(theirs.peek('with space')).toBeUndefined();
      expect(theirs.peek('kept')).toBe(1);
      expect(await theirs.getMany(['k', 'with space', 'kept'])).toEqual([undefined, undefined, 1]);
    }
  },
);

it('does not store in any process what was loaded while another one invalidated a tag of it', async () => {
  const two = await another();
  for (const change of [() => two.session('l').invalidateTags(['t']), () => two.invalidateTags(['t'])]) {
    let finish = (): void => {};
    let began = (): void => {};
    const loading = new Promise<void>((resolve) => (began = resolve));
    const answer = tiers.session('l').getOrSet(
      'k',
      () => {
        began();
        return new Promise((resolve) => (finish = () => resolve('older')));
      },
      { tags: ['t'] },
    );
    await loading;
    expect(await change()).toBe(true);
    finish();
    expect(await answer).toBe('older');
    await sleep(10);
    expect(tiers.session('l').peek('k')).toBeUndefined();
    expect(await two.session('l').get('k')).toBeUndefined();
    expect(await two.session('l').getOrSet('k', () => 'newer', { tags: ['t'] })).toBe('newer');
    await two.session('l').delete('k');
  }
});

it('does not trust what it knew of tags before a gap of the feed', async () => {
  // A server of its own, as the subscribers of tests beside this one would be killed too.
  const server = await startRedis();
  const raw = new Redis(server.url);
  const [tiers, two] = [createTiers({ redis: server.url }), createTiers({ redis: server.url })];
  await Promise.all([tiers.ready(), two.ready()]);
  for (let round = 0; round < 5; round++) {
    const [mine, theirs] = [tiers.session('gap'), two.session('gap')];
    await theirs.set('k', round, { tags: ['t'] });
    expect(await theirs.get('k')).toBe(round);
    await raw.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await (round % 2 === 0 ? mine : tiers).invalidateTags(['t']);
    await sleep(20);
    await Promise.all([tiers.ready(), two.ready()]);
    expect(await theirs.get('k')).toBeUndefined();
  }
  await Promise.all([tiers.close(), two.close()]);
  raw.disconnect();
  await server.stop();
});

it('takes tags that cannot be read for a miss, and loads in the place of the entry', async () => {
  const scope = tiers.session('s');
  await scope.set('tagged', 1, { tags: ['t'] });
  const generation = await raw.getBuffer(`${prefix}session:{s}`);
  if (generation === null) throw new Error('no generation');
  const stamp = { table: -1, at: 1 };
  const sound = encodeStampedTags({ names: ['t', 'u'], scope: stamp, everywhere: stamp });
  const metas = [
    Buffer.from([1]),
    Buffer.from([2, 0, 0]),
    randomBytes(40),
    Buffer.alloc(65_535, 1),
    sound.subarray(0, sound.length - 1),
    sound.subarray(0, 33),
    Buffer.concat([sound, Buffer.from([0])]),
    encodeStampedTags({ names: ['t'], scope: { table: Number.NaN, at: 1 }, everywhere: stamp }),
    encodeStampedTags({ names: ['t'], scope: { table: -1, at: Infinity }, everywhere: stamp }),
    encodeStampedTags({ names: ['t'], scope: { table: 0, at: 1 }, everywhere: stamp }),
    // Sound, and of tables that never were.
    sound,
  ];
  for (const meta of metas) {
    const times = { expiresAtMs: Date.now() + 60_000, freshUntilMs: Date.now() + 60_000 };
    const bytes = encodeEnvelope({ ...times, generation, meta }, Buffer.from([1]));
    for (const key of ['k', 'm']) await raw.set(`${prefix}session:{s}:${key}`, bytes, 'PX', 60_000);
    expect(await scope.has('m')).toBe(false);
    expect(await scope.get('m')).toBeUndefined();
    expect(await scope.getMany(['m', 'tagged'])).toEqual([undefined, 1]);
    expect(await scope.getOrSet('k', () => 'loaded')).toBe('loaded');
    await scope.delete('k');
  }
  for (const meta of metas.slice(0, -1)) expect(decodeStampedTags(meta)).toBeUndefined();
  for (let round = 0; round < 2_000; round++) decodeStampedTags(randomBytes(Math.floor(Math.random() * 120)));
});

it('survives something else where a table of tags should be', async () => {
  const scope = tiers.session('s');
  await scope.set('tagged', 1, { tags: ['t'] });
  await raw.del(`${prefix}session:{s}~tags`);
  await raw.set(`${prefix}session:{s}~tags`, 'no table');
  const cold = (await another({ l1: false })).session('s');
  expect(await cold.get('tagged')).toBeUndefined();
  expect(await cold.set('k', 1, { tags: ['t'] })).toBe(false);
  expect(await cold.invalidateTags(['t'])).toBe(false);
  expect(await cold.getOrSet('loaded', () => 1, { tags: ['t'] })).toBe(1);
  expect(await cold.getOrSet('plain', () => 2)).toBe(2);
  expect(await cold.get('plain')).toBe(2);
});

it('ignores messages about tags that are none', async () => {
  const scope = tiers.session('s');
  await scope.set('k', 1, { tags: ['t'] });
  expect(await scope.get('k')).toBe(1);
  const key = `${prefix}session:{s}~tags`;
  const bodies = [
    't',
    `t${key}`,
    `t${key}\n`,
    `t${key}\nx y\nt`,
    `t${key}\n1 1e99\nt`,
    'tnowhere\n-1 1\nt',
    `t${key}\n-1 1\nt`,
  ];
  for (const body of bodies) await raw.publish(`${prefix}{tierkit}feed:0`, 'x'.repeat(12) + body);
  await sleep(20);
  expect(await scope.get('k')).toBe(1);
  await scope.invalidateTags(['t']);
  expect(await scope.get('k')).toBeUndefined();
});
