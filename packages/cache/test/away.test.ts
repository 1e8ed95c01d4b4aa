import { expect, it } from 'vitest';
import { until } from '../../../test/servers/index.ts';
import { ownTimeMs } from '../../../test/support/own-time.ts';
import { sleep } from '../../../test/support/sleep.ts';
import { ownRedis } from './support/own-redis.ts';

/** The command timeout of 300 ms and room for a machine that is busy. */
const CALL_BOUND_MS = 450;

const own = ownRedis();

async function timed<T>(call: Promise<T>): Promise<T> {
  expect(await ownTimeMs(() => call)).toBeLessThan(CALL_BOUND_MS);
  return call;
}

it('tells that a change is unconfirmed, hides what it touched, and invalidates it when Redis returns', async () => {
  const [near, far] = [await own.tiersAt(own.link.url), await own.tiersAt(own.server.url)];
  const [mine, theirs] = [near.session('s'), far.session('s')];
  await mine.setMany([
    ['set', 1],
    ['deleted', 1],
    ['kept', 1],
    ['many:1', 1],
  ]);
  expect(await theirs.getMany(['set', 'deleted', 'kept', 'many:1'])).toEqual([1, 1, 1, 1]);
  own.link.drop();
  expect(await timed(mine.set('set', 2))).toBe(false);
  expect(await timed(mine.delete('deleted'))).toBe(false);
  expect(await timed(mine.deleteByPattern('many:*'))).toEqual({ deleted: 0, confirmed: false });
  await expect(mine.set('set', 2, { required: true })).rejects.toMatchObject({ code: 'ERR_CACHE_UNCONFIRMED' });
  const changes = [
    mine.clear({ required: true }),
    mine.deleteByPattern('many:*', { required: true }),
    mine.deleteByPattern('many:*', { required: true, dryRun: true }),
    near.inspection.clearTier('session', { required: true }),
  ];
  const refused = { code: 'ERR_CACHE_UNCONFIRMED' };
  await Promise.all(changes.map((change) => expect(change).rejects.toMatchObject(refused)));
  expect(near.stats().unconfirmedScopes).toBe(1);
  for (const name of ['set', 'deleted', 'many:1']) expect(mine.peek(name)).toBeUndefined();
  await own.link.normal();
  await until('the changes are invalidated', () => near.stats().unconfirmedScopes === 0 && near.stats().coherent);
  for (const scope of [mine, theirs]) {
    expect(await scope.getMany(['set', 'deleted', 'many:1'])).toEqual([undefined, undefined, undefined]);
  }
});

it('answers a name with a miss while a change of it is unconfirmed, even if Redis has an older value', async () => {
  const tiers = await own.tiersAt(own.link.url);
  const scope = tiers.session('s');
  await scope.set('k', 'older');
  own.link.drop();
  expect(await scope.set('k', 'newer')).toBe(false);
  expect(await scope.get('k')).toBeUndefined();
  expect(await scope.getOrSet('k', () => 'source')).toBe('source');
  expect(await own.raw.exists('session:{s}:k')).toBe(1);
  await own.link.normal();
  await until('it is invalidated', async () => (await own.raw.exists('session:{s}:k')) === 0);
});

it('lets a later confirmed write settle an unconfirmed one', async () => {
  const tiers = await own.tiersAt(own.link.url);
  const scope = tiers.session('s');
  own.link.drop();
  expect(await scope.set('k', 1)).toBe(false);
  await own.link.normal();
  await until('a write is confirmed', () => scope.set('k', 2));
  await sleep(300);
  expect(await scope.get('k')).toBe(2);
  expect(tiers.stats().unconfirmedScopes).toBe(0);
});

it('serves what it has while Redis is dead, never after a local write, and loads the rest', async () => {
  const tiers = await own.tiersAt(own.server.url);
  const scope = tiers.session('s');
  await scope.setMany([
    ['a', 1],
    ['b', 2],
  ]);
  expect(await scope.getMany(['a', 'b'])).toEqual([1, 2]);
  await own.server.process.end('SIGKILL');
  await until('the feed is lost', () => !tiers.stats().coherent);
  expect(await timed(scope.get('a'))).toBe(1);
  expect(await timed(scope.getMany(['a', 'b', 'c']))).toEqual([1, 2, undefined]);
  expect(await timed(scope.getOrSet('a', () => 'loaded'))).toBe(1);
  expect(await timed(scope.getOrSet('d', () => 'loaded'))).toBe('loaded');
  expect(scope.peek('a')).toBeUndefined();
  expect(tiers.stats().tiers['session']?.staleServed).toBeGreaterThanOrEqual(3);
  expect(await timed(scope.set('a', 3))).toBe(false);
  expect(await timed(scope.get('a'))).toBeUndefined();
  expect(await timed(scope.has('b'))).toBe(false);
  expect(await timed(scope.ttl('b'))).toBeUndefined();
});

it('revalidates what it has when the feed is lost and Redis is not', async () => {
  const tiers = await own.tiersAt(own.server.url);
  const other = await own.tiersAt(own.server.url);
  const scope = tiers.session('s');
  await scope.set('k', 1);
  expect(await scope.get('k')).toBe(1);
  for (let round = 2; round < 12; round++) {
    await own.raw.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await other.session('s').set('k', round);
    await until('the loss is seen', async () => (await scope.get('k')) === round, 1_000);
    await until('the feed is back', () => tiers.stats().coherent && other.stats().coherent);
    expect(await scope.get('k')).toBe(round);
  }
});

it('bounds every call while Redis is frozen, and spends the deadline once', async () => {
  const tiers = await own.tiersAt(own.server.url);
  const scope = tiers.session('s');
  await scope.set('k', 1);
  own.server.process.signal('SIGSTOP');
  try {
    for (const call of [
      () => scope.get('miss'),
      () => scope.set('k', 2),
      () => scope.delete('k'),
      () => scope.getMany(['a', 'b']),
      () =>
        scope.setMany([
          ['a', 1],
          ['b', 2],
        ]),
      () => scope.getOrSet('l', () => 'loaded'),
      () => scope.has('h'),
      () => scope.ttl('h'),
      () => scope.clear(),
      () => scope.deleteByPattern('x*'),
      () => tiers.global.get('g'),
      () => tiers.global.set('g', 1),
    ]) {
      await timed(call());
    }
    await timed(Promise.all(Array.from({ length: 100 }, (_, n) => scope.getOrSet(`n${n}`, () => n))));
  } finally {
    own.server.process.signal('SIGCONT');
  }
  await until('Redis is back', async () => (await scope.set('k', 3)) && (await scope.get('k')) === 3);
});

it('spends the deadline once in calls of several steps as well', async () => {
  const tiers = await own.tiersAt(own.link.url, { l1: false });
  const scope = tiers.session('s');
  const row = { id: '1', language: 'en' };
  const source = { findById: async () => row, save: async () => row, findBy: async () => [row] };
  const heroes = tiers.repository(source, { entity: 'hero', indexes: ['language'] });
  const entry = scope.define({ name: 'entry', key: (id: string) => ['e', id], load: async (id) => id });
  const created = tiers.repository(
    { ...source, save: async () => ({ ...row, id: '2' }) },
    { entity: 'created', idOf: (one: { id?: string }) => one.id as string },
  );
  for (const call of [
    async () => expect(await entry.getMany(['1', '2', '1'])).toEqual(['1', '2', '1']),
    async () => expect(await heroes.save(row)).toEqual(row),
    async () => expect(await created.save({ language: 'en' } as typeof row)).toEqual({ ...row, id: '2' }),
  ]) {
    await until('Redis is asked', () => scope.set('up', 1));
    own.link.drop();
    await timed(call());
    await own.link.normal();
  }
});

it('makes up for what a repository wrote while Redis was away', async () => {
  const [near, far] = [await own.tiersAt(own.link.url), await own.tiersAt(own.server.url)];
  let row = { id: '1', language: 'en' };
  const source = {
    findById: async () => row,
    findBy: async ({ language }: Partial<typeof row>) => (language === row.language ? [row] : []),
    save: async (saved: typeof row) => (row = saved),
  };
  const [mine, theirs] = [near, far].map((tiers) =>
    tiers.repository(source, { entity: 'hero', indexes: ['language'], ttl: '1h' }),
  );
  expect([await theirs?.findById('1'), await theirs?.findBy('language', 'en')]).toEqual([row, [row]]);
  own.link.drop();
  await mine?.save({ id: '1', language: 'fr' });
  expect([await mine?.findById('1'), await mine?.findBy('language', 'en')]).toEqual([row, []]);
  await own.link.normal();
  await until(
    'the other instance hears of the list',
    async () => (await theirs?.findBy('language', 'en'))?.length === 0,
  );
  await until('and of the row', async () => (await theirs?.findById('1'))?.language === 'fr');
  expect(await theirs?.findBy('language', 'fr')).toEqual([row]);
});

it('asks for no more rights to load once Redis did not answer the first', async () => {
  const redis = { url: own.server.url, socketTimeout: '30s', breaker: { failures: 1_000_000 } };
  const tiers = await own.tiersAt(redis, { l1: false });
  const scope = tiers.session('s');
  await scope.getOrSetMany(['warm'], () => [1]);
  // Reads are answered, scripts are not.
  await own.raw.call('CLIENT', 'PAUSE', 60_000, 'WRITE');
  const startedMs = performance.now();
  const keys = Array.from({ length: 2_000 }, (_, n) => `k${n}`);
  expect(await scope.getOrSetMany(keys, (missing) => missing)).toEqual(keys);
  // Twenty deadlines of 300 ms otherwise.
  expect(performance.now() - startedMs).toBeLessThan(3_000);
  await own.raw.call('CLIENT', 'UNPAUSE');
});

it('recovers after Redis was restarted empty, scripts included', async () => {
  const tiers = await own.tiersAt(own.server.url);
  const scope = tiers.session('s');
  await scope.set('k', 1);
  await own.server.process.end('SIGKILL');
  await own.server.process.start();
  await until('the feed is back', () => tiers.stats().coherent);
  expect(await scope.get('k')).toBeUndefined();
  expect(await scope.set('k', 2)).toBe(true);
  expect(await scope.getOrSet('k', () => 3)).toBe(2);
  await own.raw.script('FLUSH');
  expect(await scope.set('k', 4)).toBe(true);
  expect(await scope.get('k')).toBe(4);
});

it('reports a write that Redis refuses for want of memory', async () => {
  const tiers = await own.tiersAt(own.server.url);
  await own.raw.config('SET', 'maxmemory', '1');
  expect(await tiers.session('s').set('k', 'v')).toBe(false);
  expect(await tiers.session('s').getOrSet('l', () => 1)).toBe(1);
  await own.raw.config('SET', 'maxmemory', '0');
  await until('a write is taken again', () => tiers.session('s').set('k', 'v'));
});

it('starts without Redis, and works once it is there', async () => {
  await own.server.process.end('SIGKILL');
  const tiers = own.open(own.server.url);
  await expect(tiers.ready('200ms')).rejects.toMatchObject({ code: 'ERR_REDIS_UNAVAILABLE' });
  expect(await timed(tiers.session('s').getOrSet('k', () => 1))).toBe(1);
  await own.server.process.start();
  await tiers.ready('5s');
  expect(await tiers.session('s').set('k', 2)).toBe(true);
  expect(await tiers.session('s').get('k')).toBe(2);
});
