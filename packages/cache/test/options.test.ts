import { TierkitError } from '@tierkit/core';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { sharedRedis } from '../../../test/support/shared-redis.ts';
import { createCache, createTiers, type CacheOptions, type TiersOptions } from '../src/index.ts';

function refusal(options: unknown, create: (options: never) => { close(): Promise<void> } = createTiers): unknown {
  try {
    void create(options as never).close();
  } catch (error) {
    return error instanceof TierkitError ? `${error.code} ${error.message}` : error;
  }
  return 'accepted';
}

const redis = 'memory';

describe('options', () => {
  it.each([
    [{ redis, feedtimeout: '1s' }, /^ERR_CACHE_OPTIONS feedtimeout is not an option$/],
    [{ redis, l1: { maxEntry: 1 } }, /^ERR_CACHE_OPTIONS l1.maxEntry is not an option$/],
    [{ redis, tiers: { session: { tll: 1, ttl: 1 } } }, /^ERR_CACHE_OPTIONS tiers.session.tll is not an option$/],
    [{ redis, lease: 1, wait: 2 }, /^ERR_CACHE_OPTIONS lease is not an option; wait is not an option$/],
    [{ redis, encryption: null }, /^ERR_CACHE_OPTIONS encryption must be an object$/],
    [{ redis, compression: null }, /^ERR_CACHE_OPTIONS compression must be an object$/],
    [{ redis, cascade: 1 }, /^ERR_CACHE_OPTIONS cascade must be an object$/],
    [{ redis, load: 'x' }, /^ERR_CACHE_OPTIONS load must be an object$/],
    [{ redis, tiers: { session: null } }, /^ERR_CACHE_OPTIONS tiers.session must be an object$/],
    [{ redis, tiers: [] }, /^ERR_CACHE_OPTIONS tiers must be an object$/],
    [{ redis, l1: 'no' }, /^ERR_CACHE_OPTIONS l1 must be an object$/],
    [{ redis, l1: { maxEntries: Number.MAX_SAFE_INTEGER } }, /^ERR_CACHE_OPTIONS l1.maxEntries takes .* at most$/],
    [{ redis, memory: { maxEntries: 2 ** 40 } }, /^ERR_CACHE_OPTIONS memory.maxEntries takes/],
    [{ redis, prefix: 5 }, /^ERR_CACHE_OPTIONS prefix takes/],
    [{ redis, defaultTtl: '5' }, /^ERR_DURATION_INVALID defaultTtl/],
    [{ redis: null }, /^ERR_REDIS_OPTIONS/],
    [{ redis: 5 }, /^ERR_REDIS_OPTIONS/],
    [null, /^ERR_CACHE_OPTIONS the options must be an object$/],
    [undefined, /^ERR_CACHE_OPTIONS the options must be an object$/],
  ])('%o are refused with a code', (options, message) => {
    expect(refusal(options)).toMatch(message);
  });

  it('of a cache without tiers are those of its one tier, too', () => {
    expect(refusal({ redis, ttl: '1m', grace: '1h', l1: false }, createCache)).toBe('accepted');
    expect(refusal({ redis, ttl: '1m', tll: 1 }, createCache)).toMatch(/^ERR_CACHE_OPTIONS tll is not an option$/);
    expect(refusal({ redis, tiers: {} }, createCache)).toMatch(/^ERR_CACHE_OPTIONS tiers is not an option$/);
  });

  // Node would make one millisecond of it.
  it.each([
    [{ feedTimeout: '90d' }, 'feedTimeout'],
    [{ reclaim: '60d' }, 'reclaim'],
    [{ load: { lease: '90d' } }, 'load.lease'],
    [{ load: { waitTimeout: '25d' } }, 'load.waitTimeout'],
    [{ tiers: { session: { ttl: '1h', softTimeout: '30d' } } }, 'tiers.session.softTimeout'],
    [{ tiers: { session: { ttl: '1h', hardTimeout: '30d' } } }, 'tiers.session.hardTimeout'],
    [{ tiers: { session: { ttl: '1h', redisTimeout: '30d' } } }, 'tiers.session.redisTimeout'],
  ] satisfies [Partial<TiersOptions>, string][])('%o is longer than a timer can be', (options, name) => {
    expect(refusal({ redis, ...options })).toMatch(
      new RegExp(`^ERR_DURATION_INVALID ${name}: .* must be at most 2147483647 ms$`),
    );
  });

  it('take times to live of any length', () => {
    const accepted = { redis, defaultTtl: '90d', l1: { ttl: '90d' }, tiers: { session: { ttl: '90d', grace: '1y' } } };
    expect(refusal(accepted)).toBe('accepted');
  });

  it('a wait to be ready is no longer than a timer can be', async () => {
    const tiers = createTiers({ redis: sharedRedis() });
    onTestFinished(() => tiers.close());
    expect(() => tiers.ready('30d')).toThrow(expect.objectContaining({ code: 'ERR_DURATION_INVALID' }));
    await tiers.ready('24d');
  });
});

describe('a tier', () => {
  const ttlOf = async (tiers: ReturnType<typeof createTiers>, name: string): Promise<number> => {
    await tiers.tier(name)('x').set('k', 1);
    return Math.round(((await tiers.tier(name)('x').ttl('k')) ?? 0) / 60_000);
  };
  const open = (options: Omit<CacheOptions, 'redis'> & Partial<TiersOptions> = {}) => {
    const tiers = createTiers({ redis, ...options });
    onTestFinished(() => tiers.close());
    return tiers;
  };

  it('that is built in takes what the first call states, for the scopes that are open as well', async () => {
    const tiers = open();
    expect(await ttlOf(tiers, 'session')).toBe(5);
    tiers.tier('session', { ttl: '1h' });
    expect(await ttlOf(tiers, 'session')).toBe(60);
    await tiers.session('x').set('k', 2);
    expect(await tiers.session('x').ttl('k')).toBeGreaterThan(3_500_000);
    tiers.tier('session', { ttl: '1h' });
    expect(() => tiers.tier('session', { ttl: '2h' })).toThrow('the tier "session" has another ttl already');
  });

  it('of your own has the default until a call states something else', async () => {
    const tiers = open({ defaultTtl: '10m' });
    expect(await ttlOf(tiers, 'search')).toBe(10);
    tiers.tier('search', { ttl: '1h' });
    expect(await ttlOf(tiers, 'search')).toBe(60);
    expect(await ttlOf(tiers, 'session')).toBe(10);
    expect(() => open().tier('search')).toThrow('the tier "search" needs a ttl');
  });

  it('stays as `tiers` says', () => {
    const tiers = open({ tiers: { session: { ttl: '2m' } } });
    expect(() => tiers.tier('session', { ttl: '1h' })).toThrow('the tier "session" has another ttl already');
    expect(() => tiers.tier('other', { tll: 1 } as never)).toThrow('tiers.other.tll is not an option');
  });
});

it.each(['memory', 'redis'])('on %s, a cache that was closed stores nothing and finds nothing', async (backend) => {
  const cache = createCache({ redis: backend === 'redis' ? inject('redisUrl') : 'memory', prefix: `t${process.pid}:` });
  await cache.ready('10s');
  expect(await cache.set('k', 1, { tags: ['t'] })).toBe(true);
  await cache.close();
  expect(await cache.get('k')).toBeUndefined();
  expect(await cache.set('k', 2)).toBe(false);
  expect(await cache.delete('k')).toBe(false);
  expect(await cache.clear()).toBe(false);
  expect(await cache.invalidateTags(['t'])).toBe(false);
  expect(await cache.deleteByPattern('*')).toEqual({ deleted: 0, confirmed: false });
  expect(await cache.getOrSet('k', () => 'loaded')).toBe('loaded');
  await expect(cache.set('k', 2, { required: true })).rejects.toMatchObject({ code: 'ERR_CACHE_UNCONFIRMED' });
  expect(cache.stats().unconfirmedScopes).toBe(0);
});
