import { expect, it } from 'vitest';
import { until } from '../../../test/servers/index.ts';
import { sleep } from '../../../test/support/sleep.ts';
import { ownRedis } from './support/own-redis.ts';

const own = ownRedis();

it('hides what an unconfirmed invalidation touched, and makes it everywhere when Redis returns', async () => {
  const [near, far] = [await own.tiersAt(own.link.url), await own.tiersAt(own.server.url)];
  for (const tiers of [near, far]) {
    for (const scope of [tiers.session('s'), tiers.project('p')]) {
      await scope.set('in scope', 1, { tags: ['scope'] });
      await scope.set('everywhere', 1, { tags: ['everywhere'] });
      await scope.set('kept', 1, { tags: ['kept'] });
    }
  }
  const keys = ['in scope', 'everywhere', 'kept'];
  expect(await near.session('s').getMany(keys)).toEqual([1, 1, 1]);
  own.link.drop();
  const startMs = performance.now();
  expect(await near.session('s').invalidateTags(['scope'])).toBe(false);
  expect(await near.invalidateTags(['everywhere'])).toBe(false);
  await expect(near.invalidateTags(['scope'], { required: true })).rejects.toMatchObject({
    code: 'ERR_CACHE_UNCONFIRMED',
  });
  expect(performance.now() - startMs).toBeLessThan(1_500);
  expect(near.stats().unconfirmedScopes).toBe(2);
  // The other entries are served as stale; what was invalidated is not, although Redis never took it.
  expect(await near.session('s').getMany(keys)).toEqual([undefined, undefined, 1]);
  expect(await near.session('s').get('in scope')).toBeUndefined();
  expect(await near.project('p').get('everywhere')).toBeUndefined();
  expect(await far.session('s').getMany(keys)).toEqual([1, 1, 1]);
  await own.link.normal();
  await until('the invalidations are made', async () => near.stats().unconfirmedScopes === 0);
  for (const tiers of [near, far]) {
    await until('they are heard of', async () => tiers.stats().coherent);
    expect(await tiers.session('s').getMany(keys)).toEqual([undefined, undefined, 1]);
    expect(await tiers.project('p').getMany(keys)).toEqual([undefined, undefined, 1]);
  }
  expect(await near.session('s').set('in scope', 2, { tags: ['scope'] })).toBe(true);
  expect(await near.session('s').get('in scope')).toBe(2);
  expect(await far.session('s').get('in scope')).toBe(2);
});

it.each(['scope', 'everywhere'])(
  'keeps a confirmed set after an unconfirmed invalidation of its tag, %s',
  async (where) => {
    const tiers = await own.tiersAt(own.server.url);
    const scope = tiers.session('s');
    await scope.set('warm', 1, { tags: ['t'] });
    await own.raw.client('PAUSE', 60_000, 'WRITE');
    expect(await (where === 'scope' ? scope : tiers).invalidateTags(['t'])).toBe(false);
    await own.raw.client('UNPAUSE');
    let confirmed = false;
    await until('a set is confirmed', async () => (confirmed ||= await scope.set('k', 'new', { tags: ['t'] })));
    await until('the invalidation is made', () => tiers.stats().unconfirmedScopes === 0);
    await sleep(50);
    expect(await scope.get('k')).toBe('new');
    expect(await scope.get('warm')).toBeUndefined();
  },
);

it('answers a tag with a miss while its invalidation is unconfirmed, even if Redis can be read', async () => {
  const near = await own.tiersAt(own.link.url, { l1: false });
  const scope = near.session('s');
  await scope.setMany(Object.entries({ a: 1, b: 1 }), { tags: ['t'] });
  await scope.set('plain', 1);
  own.link.drop();
  expect(await scope.invalidateTags(['t'])).toBe(false);
  // From here on Redis answers, and refuses the scripts that change it.
  await own.raw.call('ACL', 'SETUSER', 'default', '-eval', '-evalsha');
  await own.link.normal();
  await until('Redis can be read', async () => (await scope.get('plain')) === 1);
  expect(await scope.getMany(['a', 'plain'])).toEqual([undefined, 1]);
  expect([await scope.has('b'), await scope.get('b')]).toEqual([false, undefined]);
  expect(await scope.getOrSet('a', () => 'loaded', { tags: ['t'] })).toBe('loaded');
  await own.raw.call('ACL', 'SETUSER', 'default', '+eval', '+evalsha');
  await until('the invalidation is made', async () => near.stats().unconfirmedScopes === 0);
  expect(await scope.get('b')).toBeUndefined();
  expect(await scope.getOrSet('b', () => 'loaded', { tags: ['t'] })).toBe('loaded');
  expect(await scope.get('b')).toBe('loaded');
});

it('does not serve as stale what was invalidated before Redis went away', async () => {
  const [near, far] = [await own.tiersAt(own.link.url), await own.tiersAt(own.server.url)];
  const scope = near.session('s');
  await scope.setMany(Object.entries({ mine: 1, theirs: 1 }), { tags: ['t', 'u'] });
  await scope.set('kept', 1, { tags: ['kept'] });
  expect(await scope.getMany(['mine', 'theirs', 'kept'])).toEqual([1, 1, 1]);
  await scope.invalidateTags(['t']);
  await far.invalidateTags(['other']);
  await sleep(30);
  await own.server.process.end('SIGKILL');
  await sleep(20);
  expect(await scope.getMany(['mine', 'theirs', 'kept'])).toEqual([undefined, undefined, 1]);
  expect(await scope.get('mine')).toBeUndefined();
});

it('invalidates all tags of a scope when more were unconfirmed than can be remembered', async () => {
  const near = await own.tiersAt(own.link.url);
  const scope = near.session('s');
  await scope.set('tagged', 1, { tags: ['never named'] });
  await scope.set('plain', 1);
  own.link.drop();
  for (let call = 0; call < 3; call++) {
    const tags = Array.from({ length: 500 }, (_, n) => `t${call * 500 + n}`);
    expect(await scope.invalidateTags(tags)).toBe(false);
  }
  await own.link.normal();
  await until('the invalidations are made', async () => near.stats().unconfirmedScopes === 0);
  await near.ready();
  expect(await scope.getMany(['tagged', 'plain'])).toEqual([undefined, 1]);
  await scope.set('tagged', 2, { tags: ['t1', 'never named'] });
  expect(await scope.get('tagged')).toBe(2);
});

it('finds no entry again after Redis was restarted empty', async () => {
  const near = await own.tiersAt(own.server.url);
  const scope = near.session('s');
  for (let round = 0; round < 2; round++) {
    await scope.set('k', round, { tags: ['t'] });
    await scope.invalidateTags(['t']);
    await scope.set('k', round, { tags: ['t'] });
    expect(await scope.get('k')).toBe(round);
    await own.server.process.end('SIGKILL');
    await own.server.process.start();
    await until('it is coherent again', async () => near.stats().coherent);
    expect(await scope.get('k')).toBeUndefined();
    expect(await scope.getOrSet('loaded', () => round, { tags: ['t'] })).toBe(round);
    await until('it is stored', async () => (await scope.get('loaded')) === round);
    await scope.invalidateTags(['t']);
    expect(await scope.get('loaded')).toBeUndefined();
  }
});
