import { randomBytes } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import type { TierkitError } from '@tierkit/core';
import { Redis } from 'ioredis';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { sharedRedis } from '../../../test/support/shared-redis.ts';
import { createTierkit, fromEnvironment, type Tierkit, type TierkitOptions } from '../src/index.ts';

const prefix = (): string => `kit-${randomBytes(6).toString('hex')}:`;

function open(options: TierkitOptions): Tierkit {
  const kit = createTierkit(options);
  onTestFinished(() => kit.close());
  return kit;
}

async function openReady(options: Partial<TierkitOptions> = {}): Promise<Tierkit> {
  const kit = open({ redis: sharedRedis(), prefix: prefix(), ...options });
  await kit.ready();
  return kit;
}

function refusal(options: unknown): Partial<TierkitError> {
  try {
    void createTierkit(options as TierkitOptions).close();
  } catch (error) {
    return error as TierkitError;
  }
  return {};
}

async function seconds(kit: Tierkit): Promise<number[]> {
  const scopes = [kit.session('a'), kit.project('a'), kit.global];
  for (const scope of scopes) await scope.set('key', 1);
  return Promise.all(scopes.map(async (scope) => Math.round(((await scope.ttl('key')) ?? 0) / 1_000)));
}

describe('options', () => {
  it.each([undefined, null, ''])('redis: %o throws instead of keeping values in each process', (redis) => {
    expect(refusal({ redis })).toMatchObject({ code: 'ERR_TIERKIT_OPTIONS' });
  });

  it.each([undefined, null, 'redis://localhost'])('%o is no options object', (options) => {
    expect(refusal(options)).toMatchObject({ code: 'ERR_TIERKIT_OPTIONS' });
  });

  it('names every fault in one error', () => {
    const { message } = refusal({ redis: 'redis', prefx: 'a', tier: {} });
    expect(message).toBe(
      "prefx is not an option; tier is not an option; redis must say where: a URL such as 'redis://localhost:6379'",
    );
  });

  it.each([
    [{ redis: 'memcached' }, 'ERR_REDIS_OPTIONS'],
    [{ redis: 'memory', prefix: 'a{b' }, 'ERR_CACHE_OPTIONS'],
    [{ redis: 'memory', tiers: { '1': { ttl: 1 } } }, 'ERR_CACHE_OPTIONS'],
    [{ redis: 'memory', defaultTtl: '5' }, 'ERR_DURATION_INVALID'],
  ])('%o is refused with %s', (options, code) => {
    expect(refusal(options)).toMatchObject({ code });
  });

  it.each([
    ['not a url', /^durableRedis: Redis options: url /],
    [{ cluster: [], nonsense: 1 }, /^durableRedis: .*nonsense is not an option.*cluster must be a list/],
    [null, /^durableRedis: /],
    [{ client: {} }, /^durableRedis: .*client must be an ioredis client/],
    [{ url: 'redis://u:s3cret@host/x' }, /^durableRedis: (?!.*s3cret)/],
  ])('durableRedis: %o is refused before anything connects', (durableRedis, message) => {
    const refused = refusal({ redis: 'memory', durableRedis });
    expect(refused).toMatchObject({ code: 'ERR_TIERKIT_OPTIONS', message: expect.stringMatching(message) as string });
  });

  it('durableRedis may be a URL, options or a client, which stays as it is', () => {
    const client = new Redis({ lazyConnect: true });
    for (const durableRedis of ['redis://localhost', { cluster: ['localhost:7000'] }, client]) {
      expect(refusal({ redis: 'memory', durableRedis })).toEqual({});
    }
    expect(client.status).toBe('wait');
  });

  it('waits are no longer than a timer can be', async () => {
    const kit = open({ redis: inject('redisUrl') });
    const refused = expect.objectContaining({ code: 'ERR_DURATION_INVALID' }) as Error;
    expect(() => kit.ready('30d')).toThrow(refused);
    await expect(kit.health('30d')).rejects.toThrow(refused);
  });

  it('that a later part refuses leave no connection open', async () => {
    const clientName = prefix();
    const admin = new Redis(inject('redisUrl'));
    onTestFinished(() => admin.disconnect());
    const redis = { url: inject('redisUrl'), clientName };
    expect(refusal({ redis, prefix: 'a{b' })).toMatchObject({ code: 'ERR_CACHE_OPTIONS' });
    await expect.poll(async () => String(await admin.client('LIST')).includes(clientName)).toBe(false);
    await openReady({ redis });
    expect(String(await admin.client('LIST'))).toContain(clientName);
  });
});

describe('tiers', () => {
  it.each(['redis', 'memory', 'locmem'])(
    'have times to live of 5 minutes, 1 hour and 24 hours with %s',
    async (name) => {
      const kit = await openReady(name === 'redis' ? {} : { redis: name });
      expect(await seconds(kit)).toEqual([300, 3_600, 86_400]);
    },
  );

  it('take the default, and their own before it', async () => {
    expect(await seconds(open({ redis: 'memory', defaultTtl: '1m', tiers: { project: { ttl: '2m' } } }))).toEqual([
      60, 120, 60,
    ]);
  });

  it('are never less sensitive than a call asks for', () => {
    const encryption = { keys: { k: Buffer.alloc(32) }, current: 'k' };
    const kit = open({
      redis: 'memory',
      encryption,
      tiers: { open: { ttl: '1m' }, mine: { ttl: '1m', sensitive: true } },
    });
    const refused = expect.objectContaining({ code: 'ERR_CACHE_OPTIONS' }) as Error;
    expect(() => kit.tier('open', { ttl: '1m', sensitive: true })).toThrow(refused);
    kit.tier('mine', { ttl: '5m' });
    kit.tier('mine', { ttl: '5m', sensitive: true });
    expect(() => open({ redis: 'memory' }).tier('mine', { ttl: '1m', sensitive: true })).toThrow(refused);
  });

  it('of your own take their time to live from the kit, then from the call, then the default', async () => {
    const kit = open({ redis: 'memory', defaultTtl: '1m', tiers: { search: { ttl: '2m' } } });
    const ttlOf = async (name: string, given?: { ttl: string }): Promise<number> => {
      const scope = kit.tier(name, given)('specs');
      await scope.set('key', 1);
      return Math.round(((await scope.ttl('key')) ?? 0) / 1_000);
    };
    expect(await ttlOf('search', { ttl: '9m' })).toBe(120);
    expect(await ttlOf('thermal', { ttl: '3m' })).toBe(180);
    expect(await ttlOf('other')).toBe(60);
    expect(await ttlOf('other', { ttl: '4m' })).toBe(240);
    expect(await ttlOf('session', { ttl: '7m' })).toBe(420);
    expect(() => kit.tier('other', { ttl: '5m' })).toThrow(/another ttl/);
    expect(() => open({ redis: 'memory' }).tier('other')).toThrow(/needs a ttl/);
  });

  it.each(['null', 'dummy'])('never hold anything with %s', async (redis) => {
    const kit = open({ redis });
    let loads = 0;
    expect(await kit.global.set('key', 1)).toBe(true);
    expect(await kit.global.get('key')).toBeUndefined();
    for (let i = 0; i < 3; i++) expect(await kit.session('a').getOrSet('key', () => ++loads)).toBe(i + 1);
  });
});

describe('on Redis', () => {
  it('wrap functions and repositories; the time to live of an entity comes from the environment before the call', async () => {
    const kit = open(fromEnvironment({ CACHE_BACKEND: 'memory', CACHE_HERO_TTL: '90' }));
    const source = { findById: async (id: string) => ({ id, name: `hero ${id}` }) };
    const plus = kit.cached(async (n: number) => n + 1, { key: (n) => ['plus', n], ttl: '2m' });
    expect(await plus(1)).toBe(2);
    expect(await kit.global.ttl('plus:1')).toBeGreaterThan(100_000);
    await kit.invalidates(async () => {}, { keys: ['plus:1'] })();
    expect(await kit.global.has('plus:1')).toBe(false);
    await kit.repository(source, { entity: 'hero', ttl: '1h' }).findById('1');
    await kit.repository(source, { entity: 'villain', ttl: '1h' }).findById('1');
    expect(Math.ceil((await kit.global.ttl('hero:1')) ?? 0)).toBeLessThanOrEqual(90_000);
    expect(await kit.global.ttl('villain:1')).toBeGreaterThan(3_500_000);
  });

  it('instances hear of each other', async () => {
    const shared = prefix();
    const [one, two] = [await openReady({ prefix: shared }), await openReady({ prefix: shared })];
    await one.project('p').set('name', 'old');
    expect(await two.project('p').get('name')).toBe('old');
    await one.project('p').set('name', 'new');
    await expect.poll(() => two.project('p').get('name'), { interval: 1 }).toBe('new');
    await two.session('s').set('a', 1);
    await one.session('s').clear();
    await expect.poll(() => two.session('s').get('a'), { interval: 1 }).toBeUndefined();
  });

  it('instances share one load', async () => {
    const shared = prefix();
    const kits = [await openReady({ prefix: shared }), await openReady({ prefix: shared })];
    let loads = 0;
    const loader = async (): Promise<number> => {
      await setTimeout(50);
      return ++loads;
    };
    const calls = kits.flatMap((kit) => Array.from({ length: 20 }, () => kit.project('p').getOrSet('tree', loader)));
    expect(new Set(await Promise.all(calls))).toEqual(new Set([1]));
  });

  it('keys have the documented shape', async () => {
    const own = prefix();
    const kit = await openReady({ prefix: own });
    await kit.session('abc123').set('code_snippet', 1);
    await kit.project('proj456').set('analysis:a1b2c3d4', 1);
    await kit.project('a b}').set(['a:b', 1], 1);
    await kit.global.set('model:gpt-4:v2.1.0:a1b2c3d4:response', 1);
    await kit.tier('tenant', { ttl: '1m' })(7).set('plan', 1);
    const admin = new Redis(inject('redisUrl'));
    onTestFinished(() => admin.disconnect());
    const names = (await admin.keys(`${own}*`)).map((key) => key.slice(own.length)).sort();
    expect(names).toEqual(
      [
        'model:gpt-4:v2.1.0:a1b2c3d4:response',
        'project:{a%20b%7D}',
        'project:{a%20b%7D}:a%3Ab:1',
        'project:{proj456}',
        'project:{proj456}:analysis:a1b2c3d4',
        'session:{abc123}',
        'session:{abc123}:code_snippet',
        'tenant:{7}',
        'tenant:{7}:plan',
        '{tierkit}generation:global',
        '{tierkit}instances:facts',
        '{tierkit}instances:seen',
      ].sort(),
    );
  });

  it('tells what it runs on and how it is, without secrets', async () => {
    const redis = inject('redisUrl').replace('redis://', 'redis://default:s3cret-password@');
    const kit = await openReady({ redis });
    expect(kit.info()).toMatchObject({ backend: 'redis', redis: { topology: 'standalone', db: 0, status: 'ready' } });
    const health = await kit.health();
    expect(health).toMatchObject({ status: 'up', backend: 'redis', redis: { breaker: { state: 'closed' } } });
    expect(health.latencyMs).toBeGreaterThan(0);
    await kit.global.get('nothing');
    expect(kit.stats().tiers['global']).toMatchObject({ misses: 1 });
    for (let read = 0; read < 500; read++) await kit.global.get('nothing');
    expect(kit.topKeys()).toMatchObject([{ tier: 'global', share: 1 }]);
    expect(JSON.stringify([kit.info(), health, kit.stats(), kit])).not.toContain('s3cret');
  });

  it('memory and null need no Redis and are always up', async () => {
    for (const backend of ['memory', 'null'] as const) {
      const kit = open({ redis: backend, prefix: 'p:' });
      await kit.ready();
      expect(kit.info()).toEqual({ backend, prefix: 'p:' });
      expect(await kit.health()).toEqual({ status: 'up', backend, latencyMs: 0 });
    }
  });

  it('leaves a client of yours open', async () => {
    const client = new Redis(inject('redisUrl'));
    onTestFinished(() => client.disconnect());
    const kit = await openReady({ redis: client });
    expect(await kit.global.set('key', 1)).toBe(true);
    await kit.close();
    expect(kit.info().redis?.status).toBe('closed');
    expect(await client.ping()).toBe('PONG');
  });
});
