import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { until } from '../../../test/servers/index.ts';
import { ask, setup, type Setup } from './support.ts';

describe.each(['memory', 'redis'])('on %s', (backend) => {
  let own: Setup;
  const call = (method: string, path: string) => ask(own.admin, method, path);
  beforeAll(async () => {
    own = await setup(backend === 'redis' ? inject('redisUrl') : 'memory', {}, { tiers: { other: { ttl: '1m' } } });
  });
  afterAll(() => own.close());

  it('tells what was counted, and what the server says of itself', async () => {
    await own.kit.global.set('stats:a', 1);
    await own.kit.global.get('stats:a');
    await own.kit.global.get('stats:b');
    const load = () => own.kit.project('stats').getOrSet('loaded', async () => 1);
    await Promise.all([load(), load()]);
    for (const path of ['/api/v1/cache/stats', '/health/cache/stats']) {
      const { status, body } = await call('GET', path);
      expect(status).toBe(200);
      expect(body).toMatchObject({ backend, hits: 1, misses: 3, hitRate: 0.25, tiers: { global: { writes: 1 } } });
      if (backend === 'memory') expect(body).toMatchObject({ server: null });
      else {
        const { server } = body as { server: Record<string, number> };
        expect(server['usedMemoryBytes']).toBeGreaterThan(100_000);
        expect(server['uptimeSeconds']).toBeGreaterThanOrEqual(0);
        expect(server['connectedClients']).toBeGreaterThan(0);
        expect(server['version']).toMatch(/^\d+\.\d+/);
        const { keyspaceHits = 0, keyspaceMisses = 0 } = server;
        expect(server['keyspaceHitRate']).toBeCloseTo(keyspaceHits / (keyspaceHits + keyspaceMisses));
      }
    }
  });

  it('lists keys by pattern and limit, page by page', async () => {
    for (let index = 0; index < 25; index++) await own.kit.global.set(`task:${index}`, index);
    await own.kit.global.set('else', 1);
    for (const limit of [100, 7]) {
      const keys = new Set<string>();
      let found = 0;
      let cursor = '';
      // A page looks at so many keys of a server and no more, and there are those of other tests.
      do {
        const { body } = await call('GET', `/api/v1/cache/keys?pattern=task:*&limit=${limit}${cursor}`);
        expect(body).toMatchObject({ pattern: 'task:*', limit });
        const page = body as { keys: { key: string }[]; found: number; cursor?: string };
        expect(page.keys.length).toBeLessThanOrEqual(limit);
        for (const { key } of page.keys) keys.add(key);
        found += page.found;
        cursor = page.cursor === undefined ? '' : `&cursor=${page.cursor}`;
      } while (cursor !== '');
      expect(keys.size).toBe(25);
      expect(found).toBe(25);
    }
  });

  it("shows a key's value, time to live, type, tier, tags and size", async () => {
    await own.kit.project('p1').set('tree', { name: 'Sample', at: new Date(5) }, { ttl: '4m', tags: ['t'] });
    const { body } = await call('GET', '/api/v1/cache/key/tree?tier=project&scope=p1');
    expect(body).toMatchObject({
      ...{ tier: 'project', scope: 'p1', key: 'tree', tags: ['t'], state: 'fresh', type: 'object', truncated: false },
      value: { name: 'Sample', at: { $date: '1970-01-01T00:00:00.005Z' } },
    });
    const { ttlMs, bytes } = body as { ttlMs: number; bytes: number };
    expect(ttlMs).toBeGreaterThan(200_000);
    expect(bytes).toBeGreaterThan(10);
    const { body: described } = await call('GET', '/api/v1/cache/entry/tree?tier=project&scope=p1');
    expect(described).not.toHaveProperty('value');
    expect((await call('GET', '/api/v1/cache/key/none')).status).toBe(404);
  });

  it('shows an absence that is known as one, and no value', async () => {
    const nobody = own.kit.global.define({
      name: 'nobody',
      ttl: '1m',
      key: (id: string) => ['nobody', id],
      load: (_id, context) => context.absent(),
    });
    expect(await nobody.get('1')).toBeUndefined();
    await until('it is kept', async () => (await call('GET', '/api/v1/cache/entry/nobody:1')).status === 200);
    expect((await call('GET', '/api/v1/cache/key/nobody:1')).body).toMatchObject({
      ...{ state: 'absent', withheld: 'absent', type: 'unknown', value: null },
    });
  });

  it('finds keys of any text', async () => {
    for (const key of ['a/b', 'a%2Fb', 'a b', 'ü?#&=+', '100%', '%41', 'a:b']) {
      await own.kit.global.set(key, { key });
      const { status, body } = await call('GET', `/api/v1/cache/key/${encodeURIComponent(key)}`);
      expect({ status, body }).toMatchObject({ status: 200, body: { value: { key } } });
    }
  });

  it('clears a pattern, a scope, a tier, or everything', async () => {
    const fill = async (): Promise<void> => {
      await own.kit.global.setMany([
        ['task:1', 1],
        ['keep', 1],
      ]);
      for (const scope of [own.kit.session('s1'), own.kit.session('s2'), own.kit.tier('other')('o')]) {
        await scope.set('k', 1);
      }
    };
    const left = async (): Promise<string[]> => {
      const found = await Promise.all([
        own.kit.global.has('task:1').then((has) => has && 'task'),
        own.kit.global.has('keep').then((has) => has && 'keep'),
        own.kit
          .session('s1')
          .has('k')
          .then((has) => has && 's1'),
        own.kit
          .session('s2')
          .has('k')
          .then((has) => has && 's2'),
        own.kit
          .tier('other')('o')
          .has('k')
          .then((has) => has && 'other'),
      ]);
      return found.filter((one) => one !== false);
    };
    await fill();
    expect((await call('DELETE', '/api/v1/cache/clear?pattern=task:*')).body).toMatchObject({ confirmed: true });
    expect(await left()).toEqual(['keep', 's1', 's2', 'other']);
    await own.kit.global.set('kay', 1);
    await call('DELETE', '/api/v1/cache/clear?tier=session&scope=s1&pattern=k*');
    expect(await left()).toEqual(['keep', 's2', 'other']);
    expect(await own.kit.global.get('kay')).toBe(1);
    await own.kit.session('s1').set('k', 1);
    await call('DELETE', '/api/v1/cache/clear?tier=session&scope=s1');
    expect(await left()).toEqual(['keep', 's2', 'other']);
    await call('DELETE', '/api/v1/cache/clear?tier=session');
    expect(await left()).toEqual(['keep', 'other']);
    await fill();
    const { body } = await call('DELETE', '/api/v1/cache/clear');
    expect(body).toMatchObject({ cleared: expect.arrayContaining(['global', 'session', 'other']), confirmed: true });
    expect(await left()).toEqual([]);
    await fill();
    await call('POST', '/health/cache/clear');
    expect(await left()).toEqual([]);
  });

  it.each(['/health/cache', '/api/v1/cache'])('invalidates a pattern under %s and says how many', async (base) => {
    for (const id of [1, 2, 3]) await own.kit.global.set(`thermal:rack:${id}`, 1);
    await own.kit.global.set('thermal:room', 1);
    const dry = await call('DELETE', `${base}/invalidate/thermal:rack:*?dryRun=true`);
    expect(dry.body).toEqual({ pattern: 'thermal:rack:*', deleted: 3, confirmed: true, dryRun: true });
    expect(await own.kit.global.has('thermal:rack:1')).toBe(true);
    const { body } = await call('DELETE', `${base}/invalidate/thermal:rack:*`);
    expect(body).toEqual({ pattern: 'thermal:rack:*', deleted: 3, confirmed: true, dryRun: false });
    expect(await own.kit.global.has('thermal:rack:1')).toBe(false);
    expect(await own.kit.global.has('thermal:room')).toBe(true);
  });

  it('invalidates tags everywhere or in one scope, and says how many entries had them', async () => {
    await own.kit.project('p').setMany(
      [
        ['a', 1],
        ['b', 1],
      ],
      { tags: ['x', 'y'] },
    );
    await own.kit.project('q').set('a', 1, { tags: ['x'] });
    await own.kit.project('p').set('other', 1, { tags: ['w'] });
    await own.kit.global.set('plain', 1);
    const dry = await call('DELETE', '/api/v1/cache/tags?tag=x&dryRun=true');
    expect(dry.body).toEqual({ tags: ['x'], deleted: 3, complete: true, confirmed: true, dryRun: true });
    expect(await own.kit.project('p').has('a')).toBe(true);
    const one = await call('DELETE', '/api/v1/cache/tags?tag=x&tag=z&tier=project&scope=p');
    expect(one.body).toMatchObject({ deleted: 2, confirmed: true });
    expect(await own.kit.project('p').has('a')).toBe(false);
    expect(await own.kit.project('q').has('a')).toBe(true);
    expect((await call('DELETE', '/api/v1/cache/tags?tag=x')).body).toMatchObject({ deleted: 1 });
    expect(await own.kit.project('q').has('a')).toBe(false);
    expect(await own.kit.global.has('plain')).toBe(true);
  });

  it('deletes a key', async () => {
    await own.kit.session('s').set('k', 1);
    expect((await call('DELETE', '/api/v1/cache/key/k?tier=session&scope=s')).body).toEqual({ confirmed: true });
    expect(await own.kit.session('s').has('k')).toBe(false);
  });

  it('tells how keys are used, and who is alive', async () => {
    await own.kit.global.getOrSet('usage:slow', async () => {
      await new Promise((resolve) => setTimeout(resolve, 30));
      return 1;
    });
    const { body } = await call('GET', '/api/v1/cache/usage?limit=1');
    expect(body).toMatchObject({ costly: [{ tier: 'global', loads: 1, failures: 0 }] });
    expect((body as { costly: { totalMs: number; key: string }[] }).costly[0]?.totalMs).toBeGreaterThan(25);
    expect((await call('GET', '/api/v1/cache/history')).body).toMatchObject({ series: [] });
    await until('it is alive', async () => {
      const { instances } = (await call('GET', '/api/v1/instances')).body as { instances: unknown[] };
      return instances.length === 1;
    });
  });

  it('tells its health', async () => {
    expect((await call('GET', '/health')).body).toMatchObject({ status: 'up', backend });
    const { body } = await call('GET', '/health/detailed');
    expect(body).toMatchObject({ status: 'up', checks: { coherence: { status: 'up', unconfirmedScopes: 0 } } });
    if (backend === 'redis') {
      expect(body).toMatchObject({ checks: { redis: { status: 'up', breaker: { state: 'closed', failures: 0 } } } });
    }
  });
});

it('withholds values that are encrypted, and shows what is around them', async () => {
  const encryption = { current: 'k1', keys: { k1: Buffer.alloc(32, 7) } };
  const own = await setup(inject('redisUrl'), {}, { encryption });
  await own.kit.global.set('secret', 'never shown', { sensitive: true });
  const { status, body } = await ask(own.admin, 'GET', '/api/v1/cache/key/secret');
  expect(status).toBe(200);
  expect(body).toMatchObject({ encrypted: true, withheld: 'encrypted', value: null });
  expect(JSON.stringify(body)).not.toContain('never shown');
  await own.close();
});
