import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { startProxy, until } from '../../../test/servers/index.ts';
import { sharedRedis } from '../../../test/support/shared-redis.ts';
import { sleep } from '../../../test/support/sleep.ts';
import { createCache, createTiers, type CacheCounters, type Tiers } from '../src/index.ts';
import { scopedAddress } from '../src/scope-address.ts';
import { TopKeys } from '../src/top-keys.ts';

const NOTHING = {
  l1Hits: 0,
  l2Hits: 0,
  misses: 0,
  shared: 0,
  staleServed: 0,
  loads: 0,
  loadErrors: 0,
  loadMs: 0,
  writes: 0,
  deletes: 0,
  errors: 0,
  corrupt: 0,
  bytesRead: 0,
  bytesWritten: 0,
} satisfies CacheCounters;

const opened: { close(): Promise<void> }[] = [];
afterEach(() => Promise.all(opened.splice(0).map((one) => one.close())));

function countersOf(tiers: Tiers, tier = 'session'): CacheCounters {
  const stats = tiers.stats().tiers[tier];
  if (stats === undefined) return NOTHING;
  const { l1: _, names: __, hitRate: ___, loading: ____, ...counters } = stats;
  // How long it took is told by the tests of usage, with a clock of their own.
  return { ...counters, loadMs: 0 };
}

describe.each(['memory', 'Redis'] as const)('what is counted on %s', (backend) => {
  let tiers: Tiers;
  /** Without an in-process level, so that all of its reads go to the second. */
  let plain: Tiers;

  beforeEach(async () => {
    const prefix = `t${randomBytes(6).toString('hex')}:`;
    const redis = backend === 'memory' ? 'memory' : sharedRedis();
    tiers = createTiers({ redis, prefix });
    plain = createTiers({ redis, prefix, l1: false });
    opened.push(tiers, plain);
    await Promise.all([tiers.ready(), plain.ready()]);
  });

  it('is how many loaders run, until they end or fail', async () => {
    const scope = tiers.session('a');
    const loading = (): number | undefined => tiers.stats().tiers['session']?.loading;
    const ends: ((fails: boolean) => void)[] = [];
    const load = (): Promise<number> =>
      new Promise((resolve, reject) => ends.push((fails) => (fails ? reject(new Error('as told')) : resolve(1))));
    const loads = ['one', 'two'].map((key) => scope.getOrSet(key, load).catch(() => 0));
    await until('both run', () => ends.length === 2);
    expect(loading()).toBe(2);
    ends[0]?.(true);
    await loads[0];
    expect(loading()).toBe(1);
    ends[1]?.(false);
    await loads[1];
    expect(loading()).toBe(0);
  });

  it('is every read once, as what answered it, and every change', async () => {
    const scope = tiers.session('a');
    await scope.set('one', 'text');
    await scope.setMany([
      ['two', 2],
      ['three', 3],
    ]);
    await scope.get('one');
    await scope.get('none');
    await scope.getMany(['one', 'two', 'none', 'nor this']);
    await scope.getOrSet('one', () => 'loaded');
    await scope.getOrSet(['two'], () => 'loaded');
    await scope.getOrSet('four', () => 4);
    await scope.getOrSetMany(['four', 'five', 'six'], (missing) => missing.map(() => 5));
    await scope.delete('one');
    await scope.deleteMany(['two', 'none']);
    await scope.deleteByPattern('f*');
    expect(countersOf(tiers)).toEqual({
      ...NOTHING,
      l1Hits: 6,
      misses: 6,
      loads: 3,
      writes: 3,
      deletes: 5,
      bytesWritten: 5 + 5,
    });
    expect(tiers.stats().tiers['session']?.hitRate).toBe(0.5);
    // These are no reads.
    scope.peek('three');
    await scope.has('three');
    await scope.ttl('three');
    for await (const _ of scope.keys());
    expect(countersOf(tiers)).toMatchObject({ l1Hits: 6, l2Hits: 0, misses: 6 });
    expect(countersOf(tiers, 'global')).toEqual(NOTHING);
  });

  it('is what comes from the second level, and its bytes', async () => {
    const scope = plain.session('a');
    await scope.set('one', Buffer.alloc(1_000));
    const { bytesWritten } = countersOf(plain);
    expect(bytesWritten).toBeGreaterThan(1_000);
    expect(bytesWritten).toBeLessThan(1_020);
    await scope.get('one');
    await scope.getMany(['one', 'none']);
    await scope.getOrSet('one', () => 'loaded');
    await scope.getOrSetMany(['one'], () => []);
    const expected = { l2Hits: 4, misses: 1, writes: 1, bytesWritten, bytesRead: 4 * bytesWritten };
    expect(countersOf(plain)).toEqual({ ...NOTHING, ...expected });
  });

  it('is one load with those who share it, its failure, and those who are told of it afterwards', async () => {
    const scope = tiers.session('a');
    const load = async () => sleep(30, 'loaded');
    await Promise.all([scope.getOrSet('one', load), scope.getOrSet('one', load), scope.getOrSet('one', load)]);
    expect(countersOf(tiers)).toMatchObject({ l1Hits: 0, misses: 1, shared: 2, loads: 1, loadErrors: 0 });
    const fail = async () => {
      throw new Error('no source');
    };
    const calls = [scope.getOrSet('two', fail), scope.getOrSet('two', fail)];
    await Promise.allSettled(calls);
    await scope.getOrSet('two', fail).catch(() => {});
    expect(countersOf(tiers)).toMatchObject({ misses: 3, shared: 3, loads: 2, loadErrors: 1 });
  });

  it('is what is served stale, and no refresh that nobody asked for', async () => {
    const scope = tiers.session('a');
    const options = { ttl: 40, grace: '1m', softTimeout: 0 } as const;
    await scope.getOrSet('one', () => 1, options);
    await sleep(60);
    let loaded = (): void => {};
    const slow = async () => new Promise((resolve) => (loaded = () => resolve(2)));
    expect(await scope.getOrSet('one', slow, { ...options, ttl: '1m' })).toBe(1);
    await until('the loader runs', () => countersOf(tiers).loads === 2);
    loaded();
    await until('it is stored', () => scope.peek('one') === 2);
    expect(countersOf(tiers)).toMatchObject({ misses: 2, staleServed: 1, loads: 2, l1Hits: 0, l2Hits: 0 });

    const ahead = { ttl: '1m', refreshAhead: 0.000_1 } as const;
    await scope.getOrSet('two', () => 1, ahead);
    await sleep(10);
    expect(await scope.getOrSet('two', () => 2, ahead)).toBe(1);
    await until('it is refreshed', () => scope.peek('two') === 2);
    expect(countersOf(tiers)).toMatchObject({ misses: 3, l1Hits: 1, l2Hits: 0, loads: 4, staleServed: 1 });
  });

  it('is told apart by name, and in the sum of its tier', async () => {
    const entry = tiers.session.define<{ id: string }, string>({
      name: 'user',
      key: (id: string) => ['user', id],
      load: (_, id) => ({ id }),
    });
    await entry('a').get('1');
    await entry('b').get('1');
    await entry('b').get('1');
    await tiers
      .session('a')
      .content('report')
      .getOrSet('text', () => 1);
    await tiers.session('a').countedAs('by hand').get('none');
    await tiers.session('a').get('none');
    const heroes = tiers.repository({ findById: async (id: string) => ({ id }) }, { entity: 'hero' });
    await heroes.findById('1');
    await heroes.findById('1');
    const { session, global } = tiers.stats().tiers;
    expect(session).toMatchObject({ misses: 5, l1Hits: 1, loads: 3, hitRate: 1 / 6 });
    expect(session?.names).toMatchObject({
      user: { misses: 2, l1Hits: 1, loads: 2, hitRate: 1 / 3 },
      report: { misses: 1, l1Hits: 0, loads: 1 },
      'by hand': { misses: 1, loads: 0, hitRate: 0 },
    });
    expect(session?.names['user']?.bytesWritten).toBeGreaterThan(0);
    expect(global).toMatchObject({ misses: 1, l1Hits: 1, loads: 1 });
    expect(global?.names).toMatchObject({ hero: { misses: 1, l1Hits: 1, loads: 1 } });
  });

  it('a scope that counts apart is the same scope', async () => {
    const scope = tiers.session('a');
    const counted = scope.countedAs('name').countedAs('other');
    let loads = 0;
    const load = async () => sleep(20, ++loads);
    expect(await Promise.all([scope.getOrSet('one', load), counted.getOrSet('one', load)])).toEqual([1, 1]);
    await counted.set('two', 2);
    expect(scope.peek('two')).toBe(2);
    await scope.clear();
    expect([counted.peek('one'), counted.peek('two')]).toEqual([undefined, undefined]);
    expect(Object.keys(tiers.stats().tiers['session']?.names ?? {})).toEqual(['name', 'other']);
  });

  it('is no more than 1,000 names of 200 characters; the others count for their tier', async () => {
    const scope = tiers.session('a');
    await scope.countedAs('n'.repeat(201)).get('none');
    for (let name = 0; name < 1_001; name++) scope.countedAs(String(name));
    await scope.countedAs('1000').get('none');
    const stats = tiers.stats().tiers['session'];
    expect(Object.keys(stats?.names ?? {})).toHaveLength(1_000);
    expect(stats).toMatchObject({ misses: 2 });
  });

  it('is what the in-process level holds of each tier', async () => {
    await tiers.session('a').set('one', 'x'.repeat(100));
    await tiers.project('a').set('one', 1);
    await tiers.project('b').set('one', 1);
    const { l1, tiers: byTier } = tiers.stats();
    expect(byTier['session']?.l1.entries).toBe(1);
    expect(byTier['project']?.l1.entries).toBe(2);
    expect(l1).toEqual({
      entries: 3,
      bytes: (byTier['session']?.l1.bytes ?? 0) + (byTier['project']?.l1.bytes ?? 0),
    });
    await tiers.project('a').delete('one');
    expect(tiers.stats().tiers['project']?.l1.entries).toBe(1);
    await tiers.close();
    expect(tiers.stats().tiers['session']?.l1).toEqual({ entries: 0, bytes: 0 });
  });

  it('tells the keys that are read most, wherever they are answered', async () => {
    const scope = tiers.session('a');
    await scope.set('hot', 1);
    const others: Promise<unknown>[] = [];
    for (let read = 0; read < 60_000; read++) {
      await scope.get('hot');
      // A rhythm that samples in fixed steps would miss.
      if (read % 60 === 0) others.push(scope.get(['cold', read]), scope.getMany([`rare:${read}`, ['a{b}', read]]));
      if (read % 60 === 30) others.push(tiers.global.getOrSet(`rare:${read}`, () => undefined));
    }
    await Promise.all(others);
    const top = tiers.topKeys({ limit: 3 });
    expect(top).toHaveLength(3);
    expect(top[0]).toMatchObject({ tier: 'session', key: expect.stringMatching(/session:\{a\}:hot$/) });
    expect(top[0]?.share).toBeGreaterThan(0.7);
    expect(top[0]?.share).toBeLessThanOrEqual(1);
    expect(top[1]?.share).toBeLessThan(0.1);
    expect(tiers.topKeys().length).toBeLessThanOrEqual(20);
    expect(() => tiers.topKeys({ limit: 0 })).toThrow(expect.objectContaining({ code: 'ERR_CACHE_OPTIONS' }));
  });
});

it('a command that fails is one error, however many keys it has, and what is served then is stale', async () => {
  const link = await startProxy({ target: { port: Number(new URL(inject('redisUrl')).port) } });
  opened.push({ close: () => link.stop() });
  const tiers = createTiers({ redis: link.url, prefix: `t${randomBytes(6).toString('hex')}:` });
  opened.unshift(tiers);
  await tiers.ready();
  const scope = tiers.session('a');
  await scope.set('kept', 1);
  link.drop();
  await until('the feed is lost', () => !tiers.stats().coherent);
  const before = countersOf(tiers);
  await scope.get('kept');
  await scope.getMany(['kept', 'none']);
  await scope.getOrSet('kept', () => 'loaded');
  await scope.getOrSet('none', () => 'loaded');
  await scope.getOrSetMany(['kept', 'nor this'], (missing) => missing.map(() => 'loaded'));
  await scope.set('new', 1);
  expect(countersOf(tiers)).toEqual({
    ...before,
    misses: 7,
    staleServed: 4,
    loads: 2,
    errors: before.errors + 6,
  });
});

it('counts without tiers as well', async () => {
  const cache = createCache({ redis: 'memory' });
  opened.push(cache);
  await cache.countedAs('name').get('none');
  expect(cache.stats().tiers['global']).toMatchObject({ misses: 1, names: { name: { misses: 1 } } });
  for (let read = 0; read < 500; read++) await cache.get('none');
  expect(cache.topKeys({ limit: 1 })).toEqual([{ tier: 'global', key: 'none', share: 1 }]);
});

it('knows 200 keys at the most, none longer than keys are, and forgets what is read no more', () => {
  const keys = new TopKeys();
  const address = scopedAddress('', 'session', 'a');
  for (let sample = 0; sample < 20_000; sample++) keys.sample(address, `old:${sample % 2}`);
  for (let sample = 0; sample < 30_000; sample++) keys.sample(address, `scan:${sample}`);
  expect(keys.top(Infinity).length).toBeLessThanOrEqual(200);
  for (let sample = 0; sample < 30_000; sample++) keys.sample(address, sample % 3 === 0 ? 'new' : `more:${sample}`);
  const [first] = keys.top(1);
  expect(first?.key).toBe('session:{a}:new');
  expect(first?.share).toBeGreaterThan(0.2);
  expect(first?.share).toBeLessThanOrEqual(1 / 3);
});
