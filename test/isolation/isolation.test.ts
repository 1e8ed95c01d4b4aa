import { isDeepStrictEqual } from 'node:util';
import { createAdmin } from '@tierkit/admin';
import { durable } from '@tierkit/bus';
import type { CacheChange } from '@tierkit/cache';
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import fc from 'fast-check';
import { startCluster, until, type RedisCluster } from '../servers/index.ts';
import { openTenant, type Tenant, type Where } from './tenants.ts';

const token = 'isolation-0123456789';

const databaseOf = (server: string, db: number): Where => ({ url: new URL(`/${db}`, server).href });

const APART = {
  prefix: async (run: string) => {
    const where = databaseOf(inject('redisUrl'), 0);
    return [openTenant(where, `${run}a:`), openTenant(where, `${run}b:`)];
  },
  database: async (run: string) => [0, 7].map(async (db) => openTenant(databaseOf(inject('redisUrl'), db), `${run}:`)),
  'prefix on a Cluster': async (run: string) => {
    cluster = await startCluster();
    const { nodes } = cluster;
    return [openTenant({ cluster: nodes }, `${run}a:`), openTenant({ cluster: nodes }, `${run}b:`)];
  },
} as const;

let cluster: RedisCluster | undefined;
afterAll(() => cluster?.stop());

/** Two tenants on one Redis, apart by prefix in one database or on one Cluster, or by database with one prefix. */
describe.each(Object.keys(APART) as (keyof typeof APART)[])('two tenants, apart by %s', (apart) => {
  let mine: Tenant;
  let theirs: Tenant;

  beforeAll(async () => {
    const opened = await Promise.all(await APART[apart](`t${randomBytes(5).toString('hex')}`));
    [mine, theirs] = opened as [Tenant, Tenant];
  });
  afterAll(() => Promise.all([mine, theirs].map((one) => one?.close())));

  const fill = async ({ kit }: Tenant): Promise<void> => {
    const options = { tags: ['shared-tag'], ttl: '1h' } as const;
    await kit.global.set('model:1', 'of global', options);
    await kit.project('p1').set('tree', 'of a project', options);
    await kit.session('s1').set('cart', 'of a session', options);
  };
  const read = async ({ kit }: Pick<Tenant, 'kit'> | { readonly kit: Tenant['tiers'] }): Promise<unknown[]> => [
    await kit.global.get('model:1'),
    await kit.project('p1').get('tree'),
    await kit.session('s1').get('cart'),
  ];
  const ALL = ['of global', 'of a project', 'of a session'];

  it('do not see, clear or invalidate what the other cached', async () => {
    await fill(mine);
    expect(await read(theirs)).toEqual([undefined, undefined, undefined]);
    const before = await mine.stored();
    expect(Object.keys(before).length).toBeGreaterThanOrEqual(5);
    const { kit } = theirs;
    await kit.global.clear();
    await kit.global.deleteByPattern('*');
    await kit.project('p1').clear();
    await kit.project('p1').deleteByPattern('*');
    await kit.session('s1').delete('cart');
    await kit.invalidateTags(['shared-tag']);
    for (const tier of kit.inspection.tiers) await kit.inspection.clearTier(tier);
    expect(await mine.stored()).toEqual(before);
    expect(await read(mine)).toEqual(ALL);
    // By an instance that has nothing in process, and so goes by what Redis says of generations and tags.
    expect(await read({ kit: mine.tiers })).toEqual(ALL);
    for (const options of [{}, { tier: 'project' }, { tier: 'session' }, { tag: 'shared-tag' }]) {
      expect((await kit.inspection.keys({ limit: 1_000, ...options })).keys).toEqual([]);
    }
  });

  it('do not hear of what the other changes', async () => {
    const heard: CacheChange[] = [];
    const stop = theirs.kit.inspection.onChange((change) => heard.push(change));
    await fill(mine);
    await mine.kit.session('s1').clear();
    await mine.kit.invalidateTags(['other-tag']);
    await mine.kit.global.deleteByPattern('none:*');
    await theirs.kit.global.set('own', 1);
    // What it did before may be heard of as late as this.
    const change = { kind: 'keys', own: true, tier: 'global', keys: ['own'], count: 1 };
    await until('its own change is heard of', () => heard.some((one) => isDeepStrictEqual(one, change)));
    expect(heard.filter(({ own }) => !own)).toEqual([]);
    stop();
  });

  it('do not share loads, nor schedules', async () => {
    let loads = 0;
    const load = async (): Promise<number> => {
      await new Promise((resolve) => setTimeout(resolve, 50));
      return ++loads;
    };
    const both = await Promise.all([mine, theirs].map(({ kit }) => kit.global.getOrSet('loaded', load)));
    expect(both.toSorted()).toEqual([1, 2]);
    const ran: string[] = [];
    const schedules = [mine, theirs].map(({ kit }, index) =>
      kit.schedule('nightly', { every: '1h' }, () => ran.push(`${index}`)),
    );
    await until('both ran', () => ran.length === 2);
    for (const schedule of schedules) schedule.stop();
  });

  it('hold locks of one name at once, and cannot take the other’s away', async () => {
    const held = await mine.locks.acquire('deploy', { ttl: '1m' });
    expect((await theirs.locks.inspect('deploy')).holders).toEqual([]);
    expect(await theirs.locks.forceRelease('deploy')).toBe(false);
    const other = await theirs.locks.tryAcquire('deploy', { ttl: '1m' });
    expect(other).toBeDefined();
    await other?.release();
    expect((await mine.locks.inspect('deploy')).holders).toHaveLength(1);
    expect(await held.release()).toBe(true);
  });

  it('have limits of their own', async () => {
    for (let request = 0; request < 3; request++) await mine.limiter.consume('user:1');
    expect(await mine.limiter.peek('user:1')).toMatchObject({ allowed: false, remaining: 0 });
    expect(await theirs.limiter.peek('user:1')).toMatchObject({ allowed: true, remaining: 3 });
    await theirs.limiter.reset('user:1');
    await theirs.limiter.block('user:1', '1m');
    expect(await mine.limiter.peek('user:1')).toMatchObject({ allowed: false, policy: 'fixed-window' });
    await mine.limiter.reset('user:1');
    expect(await mine.limiter.peek('user:1')).toMatchObject({ allowed: true });
    expect(await theirs.limiter.peek('user:1')).toMatchObject({ allowed: false, policy: 'block' });
  });

  it('have quotas of their own', async () => {
    await mine.quota.add('u1', { calls: 5 });
    expect((await theirs.quota.usage('u1')).calls.day.used).toBe(0);
    await theirs.quota.setLimits('u1', { calls: 1 });
    await theirs.quota.add('u1', { calls: 1 }, { id: 'charge-1' });
    expect((await mine.quota.usage('u1')).calls.day).toMatchObject({ used: 5, limit: 5 });
    expect((await mine.quota.add('u1', { calls: 1 }, { id: 'charge-1' })).repeated).toBe(false);
  });

  it('do not hear the other’s events, work off its streams, or see its dead letters', async () => {
    const heard: unknown[] = [];
    const off = theirs.bus.on(['orders:*', 'notes:*'], ({ data }) => heard.push(data));
    await off.ready;
    const worked: unknown[] = [];
    const consumers = [mine, theirs].map(({ bus }, index) =>
      bus.consume('orders:placed', { group: 'billing', maxAttempts: 1 }, ({ data }) => {
        worked.push([index, data]);
        if (index === 0) throw new Error('not mine');
      }),
    );
    await Promise.all(consumers.map(({ ready }) => ready));
    await mine.bus.publish('orders:placed', { id: 1 });
    await mine.bus.publish('notes:user:{id}', { text: 'mine' }, { params: { id: '*' } });
    await until('it is given up', async () => (await mine.bus.lag('orders:placed', 'billing')).deadLetters === 1);
    await theirs.bus.publish('orders:placed', { id: 2 });
    await until('their own is worked off', () => worked.length === 2);
    expect(worked).toEqual([
      [0, { id: 1 }],
      [1, { id: 2 }],
    ]);
    await until('their own is heard', () => heard.length > 0);
    expect(heard).toEqual([{ id: 2 }]);
    expect(await theirs.bus.deadLetters('orders:placed').list()).toEqual([]);
    expect(await theirs.bus.deadLetters('orders:placed').remove()).toBe(0);
    expect(await mine.bus.deadLetters('orders:placed').list()).toHaveLength(1);
    off();
    await Promise.all(consumers.map((consumer) => consumer.close()));
  });

  it('have the parts of their kits apart', async () => {
    const [quotas, buses] = [
      [mine, theirs].map(({ kit }) => kit.quota({ calls: { per: 'day', limit: 5 } })),
      [mine, theirs].map(({ kit }) => kit.bus({ 'kit:orders': durable<number>() })),
    ];
    await quotas[0]?.add('of the kit', { calls: 4 });
    expect((await quotas[1]?.usage('of the kit'))?.calls.day.used).toBe(0);
    await buses[0]?.publish('kit:orders', 1);
    await buses[1]?.publish('kit:orders', 2);
    const events = buses[1]?.subscribe('kit:orders', { from: 'start' });
    expect((await events?.next())?.value?.data).toBe(2);
    await events?.return?.();
  });

  it('do not see what the other gave up behind its cache', async () => {
    const queues = [mine, theirs].map(({ tiers }) =>
      tiers.writeBehind('poisoned', {
        batch: { age: 1 },
        retry: { attempts: 1, backoff: 1, giveUpAfter: 1 },
        poll: 20,
        flush() {
          throw new Error('never');
        },
      }),
    );
    const [queue, other] = queues as [(typeof queues)[0], (typeof queues)[0]];
    await mine.tiers.project('p1').writeBehind('poison', 'mine', queue);
    await until('it is given up', async () => (await queue.deadLetters()).length === 1);
    expect(await other.deadLetters()).toEqual([]);
    expect(await other.replay()).toEqual({ replayed: 0, superseded: 0 });
    expect((await queue.deadLetters()).map(({ item }) => item?.value)).toEqual(['mine']);
  });

  it('do not write behind what the other wrote, nor read it', async () => {
    const flushed: unknown[][] = [[], []];
    const open = [false, true];
    const [queue, other] = [mine, theirs].map(({ tiers }, index) =>
      tiers.writeBehind('file_trees', {
        batch: { age: 1 },
        retry: { backoff: 10 },
        poll: 20,
        flush: (batch) => {
          if (open[index] !== true) throw new Error('later');
          flushed[index]?.push(...batch.map(({ value }) => value));
        },
      }),
    );
    if (queue === undefined || other === undefined) throw new Error('two queues were made');
    await mine.tiers.project('p1').writeBehind('pending', 'mine', queue);
    expect(await theirs.tiers.project('p1').get('pending')).toBeUndefined();
    await theirs.tiers.project('p1').writeBehind('pending', 'theirs', other);
    await until('their own is flushed', async () => (await other.status()).backlog === 0);
    expect((await queue.status()).backlog).toBe(1);
    expect(flushed).toEqual([[], ['theirs']]);
    open[0] = true;
    await until('it is flushed', async () => (await queue.status()).backlog === 0);
    expect(flushed).toEqual([['mine'], ['theirs']]);
  });

  it('do not know of each other’s instances', async () => {
    for (const { kit } of [mine, theirs]) {
      await until('it knows itself', async () => (await kit.instances()).length === 1);
      expect((await kit.instances())[0]?.own).toBe(true);
    }
  });

  it('are apart for those who operate them', async () => {
    await fill(mine);
    const admin = createAdmin(theirs.kit, { tokens: [{ token, role: 'admin', values: true }] });
    const headers = { authorization: `Bearer ${token}` };
    const ask = async (method: string, path: string): Promise<unknown> => {
      const response = await admin.app.request(path, { method, headers });
      return response.json();
    };
    await ask('DELETE', '/api/v1/cache/clear');
    expect(await ask('GET', '/api/v1/cache/keys')).toMatchObject({ keys: [] });
    expect(await ask('GET', '/api/v1/cache/keys?tier=session')).toMatchObject({ keys: [] });
    expect(await ask('GET', '/api/v1/cache/key/model:1')).toMatchObject({ code: 'ERR_ADMIN_NOT_FOUND' });
    expect(await ask('GET', `/api/v1/cache/key/${mine.prefix}model:1`)).toMatchObject({ code: 'ERR_ADMIN_NOT_FOUND' });
    expect(await ask('DELETE', '/health/cache/invalidate/*')).toMatchObject({ deleted: 0 });
    expect(await ask('DELETE', `/health/cache/invalidate/*${mine.prefix}*`)).toMatchObject({ deleted: 0 });
    expect(await ask('DELETE', '/api/v1/cache/tags?tag=shared-tag')).toMatchObject({ deleted: 0 });
    expect(await read(mine)).toEqual(ALL);
    admin.close();
  });

  it('cannot reach each other by any name', async () => {
    await fill(mine);
    const before = await mine.stored();
    // Names that try to break out: the other's own keys, braces, globs, escapes.
    const parts = fc.constantFrom(
      ...[mine.prefix, '{tierkit}', 'generation:global', 'instances:seen', 'session', 'project', 'p1', 's1', 'tree'],
      ...[
        '{',
        '}',
        ':',
        '*',
        '?',
        '[',
        ']',
        '\\',
        '%7B',
        '~lease',
        '~tags',
        '\n',
        '\u0000',
        ' ',
        '../',
        'model:1',
        'cart',
      ],
    );
    const names = fc.array(parts, { minLength: 1, maxLength: 6 }).map((list) => list.join(''));
    await fc.assert(
      fc.asyncProperty(names, names, async (id, name) => {
        const { kit, locks, limiter, quota } = theirs;
        const scopes = [kit.global, kit.session(id), kit.project(id)];
        for (const scope of scopes) {
          await scope.set(name, 'of an attacker', { ttl: '10s', tags: [id] });
          await scope.deleteByPattern(name).catch(() => {});
          await scope.delete(name);
          await scope.invalidateTags([id]);
          if (scope !== kit.global) await scope.clear();
        }
        await kit.inspection.delete({ key: name });
        await kit.inspection.delete({ tier: 'session', scope: id, key: name });
        await kit.inspection.entry({ tier: 'project', scope: id, key: name }, { value: true });
        await locks.forceRelease(name);
        await limiter.reset(name);
        await quota.usage(name);
      }),
      { numRuns: 40 },
    );
    expect(await mine.stored()).toEqual(before);
    expect(await read(mine)).toEqual(ALL);
  });
});
