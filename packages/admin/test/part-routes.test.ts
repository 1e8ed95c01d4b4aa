import { createBus, durable, ephemeral } from '@tierkit/bus';
import { createTiers, type WriteBehindItem } from '@tierkit/cache';
import { fixedWindow } from '@tierkit/rate-limit';
import { createRedis } from '@tierkit/redis';
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { until } from '../../../test/servers/index.ts';
import { sharedRedis } from '../../../test/support/shared-redis.ts';
import { createAdmin, type AdminSource, type AuditEvent, type LimiterPart } from '../src/index.ts';
import { ask, closeParts, queueOf, setup, someParts, type Setup } from './support.ts';

let own: Setup;
let parts: Awaited<ReturnType<typeof someParts>>;
const call = (method: string, path: string, as = 'admin', body?: unknown) =>
  ask(own.admin, method, path, as, {
    ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });

beforeAll(async () => {
  parts = await someParts(inject('redisUrl'));
  const queues = [queueOf('events:version_promoted', ['1-0', '2-0', '3-0']), queueOf('file_trees', [])];
  own = await setup(inject('redisUrl'), { parts: { ...parts, queues: () => queues } });
});
afterAll(async () => {
  await own.close();
  await closeParts();
});

describe('limiters', () => {
  const path = '/api/v1/limiters/some/subjects/user:1';

  it('are listed with their policies', async () => {
    expect((await call('GET', '/api/v1/limiters')).body).toMatchObject({
      limiters: [
        {
          name: 'some',
          policies: [
            { name: 'fixed-window', kind: 'fixed-window', limit: 3, perMs: 3_600_000, worstPerWindow: 5 },
            { name: 'token-bucket', kind: 'token-bucket', limit: 10, perMs: 60_000 },
          ],
        },
      ],
    });
  });

  it('tell how a subject stands without taking anything, and let it begin anew', async () => {
    const [limiter] = parts.limiters?.() ?? [];
    const consume = (limiter as LimiterPart & { consume(subject: string, options: object): Promise<unknown> }).consume;
    await consume.call(limiter, 'user:1', { cost: 3 });
    for (let look = 0; look < 2; look++) {
      expect((await call('GET', path)).body).toMatchObject({
        ...{ allowed: false, limit: 3, remaining: 0, policy: 'fixed-window', source: 'redis' },
        policies: [
          { name: 'fixed-window', remaining: 0 },
          { name: 'token-bucket', remaining: 7 },
        ],
      });
    }
    expect((await call('DELETE', path)).body).toEqual({ reset: true });
    expect((await call('GET', path)).body).toMatchObject({ allowed: true, remaining: 3 });
  });

  it('that nobody has, and subjects that are none, are told as such', async () => {
    expect(await call('GET', '/api/v1/limiters/none/subjects/a')).toMatchObject({
      status: 404,
      body: { code: 'ERR_ADMIN_NOT_FOUND' },
    });
    expect((await call('GET', `/api/v1/limiters/some/subjects/${'x'.repeat(1_001)}`)).status).toBe(400);
  });
});

describe('quotas', () => {
  it('tell what a subject used, null where there is no limit', async () => {
    expect((await call('GET', '/api/v1/quotas')).body).toEqual({ quotas: ['some'] });
    const { body } = await call('GET', '/api/v1/quotas/some/subjects/u1');
    expect(body).toMatchObject({
      usage: {
        calls: { day: { used: 0, limit: 5, remaining: 5 } },
        bytes: { month: { limit: null, remaining: null } },
      },
    });
  });

  it('let a subject begin its periods anew', async () => {
    const path = '/api/v1/quotas/some/subjects/anew';
    await parts.quota.add('anew', { calls: 5, bytes: 7 });
    expect((await call('DELETE', path, 'viewer')).status).toBe(403);
    expect((await call('GET', path)).body).toMatchObject({ usage: { calls: { day: { used: 5, remaining: 0 } } } });
    const { body } = await call('DELETE', path, 'operator');
    expect(body).toMatchObject({
      usage: { calls: { day: { used: 0, limit: 5 } }, bytes: { month: { used: 0, limit: null } } },
    });
    expect((await call('GET', path)).body).toMatchObject({ usage: { calls: { day: { used: 0, remaining: 5 } } } });
  });
});

describe('queues', () => {
  const path = '/api/v1/queues/events:version_promoted/dead-letters';

  it('are listed with what waits in them', async () => {
    expect((await call('GET', '/api/v1/queues')).body).toMatchObject({
      queues: [
        { name: 'events:version_promoted', kind: 'stream', waiting: 1, pending: 2, deadLetters: 3 },
        { name: 'file_trees', deadLetters: 0 },
      ],
    });
  });

  it('show what they gave up, and the messages to those who may read values', async () => {
    const { body } = await call('GET', `${path}?limit=2`);
    expect(body).toEqual({
      deadLetters: [
        { id: '1-0', group: 'g', attempts: 3, reason: 'it failed' },
        { id: '2-0', group: 'g', attempts: 3, reason: 'it failed' },
      ],
    });
    expect((await call('GET', path, 'admin with values')).body).toMatchObject({
      deadLetters: [{ payload: { secret: '1-0' } }, {}, {}],
    });
  });

  it('put back and discard what is named, or all', async () => {
    expect((await call('POST', `${path}/replay`, 'operator', { ids: ['2-0', 'none'] })).body).toEqual({ count: 1 });
    expect((await call('POST', `${path}/remove`, 'operator', { ids: ['1-0'] })).body).toEqual({ count: 1 });
    expect((await call('POST', `${path}/replay`, 'operator', {})).body).toEqual({ count: 1 });
    expect((await call('GET', path)).body).toEqual({ deadLetters: [] });
  });

  it.each([
    ['no JSON', '{'],
    ['no object', '[]'],
    ['no list', '{"ids":"1-0"}'],
    ['no ids', '{"ids":[]}'],
    ['too many ids', JSON.stringify({ ids: Array.from({ length: 501 }, () => '1-0') })],
    ['nothing', ''],
  ])('refuse a body that is %s', async (_, body) => {
    const headers = { 'content-type': 'application/json' };
    expect(await ask(own.admin, 'POST', `${path}/remove`, 'admin', { body, headers })).toMatchObject({
      status: 400,
      body: { code: 'ERR_ADMIN_INPUT' },
    });
  });
});

it('says so where there are no such parts', async () => {
  const bare = await setup('null');
  expect((await ask(bare.admin, 'GET', '/api/v1/lock-stats')).status).toBe(404);
  expect((await ask(bare.admin, 'GET', '/api/v1/limiters')).body).toEqual({ limiters: [] });
  expect((await ask(bare.admin, 'GET', '/api/v1/quotas')).body).toEqual({ quotas: [] });
  expect((await ask(bare.admin, 'GET', '/api/v1/queues')).body).toEqual({ queues: [] });
  await bare.close();
});

it('lists the other queues when Redis refuses to tell of one', async () => {
  const redis = sharedRedis();
  const prefix = `t${randomBytes(6).toString('hex')}:`;
  const [kit, tiers] = [await setup(redis.url), createTiers({ redis, prefix })];
  await tiers.ready('10s');
  const [spoilt] = ['spoilt', 'sound'].map((name) => tiers.writeBehind(name, { flush() {}, worker: false }));
  await tiers.project('p').writeBehind('key', 1, spoilt!);
  const raw = createRedis(redis);
  await raw.ready('10s');
  await raw.execute((client) => client.set(`${prefix}project:{p}~pending~due:spoilt`, 'no sorted set'));
  const source = Object.assign(Object.create(kit.kit) as AdminSource, { inspection: tiers.inspection });
  const { app } = createAdmin(source, { tokens: [{ token: 'queues-0123456789abc', role: 'viewer' }] });
  const headers = { authorization: 'Bearer queues-0123456789abc' };
  expect(await (await app.request('/api/v1/queues', { headers })).json()).toEqual({
    queues: [
      { name: 'spoilt', kind: 'write-behind', error: 'ERR_REDIS_REPLY' },
      { name: 'sound', kind: 'write-behind', pending: 0, deadLetters: 0, oldestMs: 0 },
    ],
  });
  await raw.close();
  await tiers.close();
  await kit.close();
});

it.each(['memory', 'redis'])(
  'shows what a write-behind queue on %s holds and gave up, and puts it back',
  async (backend) => {
    const kit = await setup(backend === 'redis' ? inject('redisUrl') : 'memory');
    const tiers = createTiers({
      redis: backend === 'redis' ? sharedRedis() : 'memory',
      prefix: `t${randomBytes(6).toString('hex')}:`,
    });
    await tiers.ready('10s');
    let broken = true;
    const saved: unknown[] = [];
    const flush = (batch: readonly WriteBehindItem[]): void => {
      if (broken && batch.some(({ key }) => key === 'bad')) throw new Error('the sink refuses it');
      for (const { value } of batch) saved.push(value);
    };
    const retry = { attempts: 1, backoff: 1 };
    const queue = tiers.writeBehind('file_trees', { flush, retry, batch: { size: 1, age: 1 } });
    // The sink takes others meanwhile, so that it is the item that is bad.
    await tiers.project('p').writeBehind('good', 1, queue);
    await tiers.project('p').writeBehind('bad', 2, queue);
    const admin = createAdmin(Object.assign(Object.create(kit.kit) as AdminSource, { inspection: tiers.inspection }), {
      tokens: [{ token: 'writes-0123456789abc', role: 'operator', values: true }],
    });
    const headers = { authorization: 'Bearer writes-0123456789abc', 'content-type': 'application/json' };
    const at = async (path: string, body?: string): Promise<Record<string, unknown>> => {
      const response = await admin.app.request(
        path,
        body === undefined ? { headers } : { headers, method: 'POST', body },
      );
      return (await response.json()) as Record<string, unknown>;
    };
    await until('it is given up', async () => {
      await tiers.project('p').writeBehind(`more:${saved.length}`, 0, queue);
      return (await queue.status()).deadLetters === 1;
    });
    await queue.drain();
    expect(await at('/api/v1/queues')).toEqual({
      queues: [{ name: 'file_trees', kind: 'write-behind', pending: 0, deadLetters: 1, oldestMs: 0 }],
    });
    expect(await at('/api/v1/queues/file_trees/dead-letters')).toMatchObject({
      deadLetters: [{ reason: expect.stringContaining('refuses'), payload: { key: 'bad', value: 2, tier: 'project' } }],
    });
    broken = false;
    expect(await at('/api/v1/queues/file_trees/dead-letters/replay', '{}')).toEqual({ count: 1 });
    await queue.drain();
    expect(saved).toContain(2);
    expect(await at('/api/v1/queues/file_trees/dead-letters/remove', '{}')).toEqual({ count: 0 });
    await tiers.close();
    await kit.close();
  },
);

it.each(['memory', 'redis'])(
  'shows the parts of a kit on %s: locks, limiters, quotas and streams with their dead letters',
  async (backend) => {
    const { kit, admin, close } = await setup(backend === 'redis' ? inject('redisUrl') : 'memory');
    const get = async (path: string) => (await ask(admin, 'GET', path)).body;
    const bus = kit.bus({ 'orders:placed': durable<{ id: number }>(), news: ephemeral<string>() });
    const limiter = kit.rateLimit('api', [fixedWindow({ limit: 2, per: '1h' })]);
    const quota = kit.quota({ calls: { per: 'day', limit: 5 } }, { prefix: 'plan:' });
    await limiter.consume('u1');
    await quota.add('u1', { calls: 2 });
    expect(await get('/api/v1/limiters/api/subjects/u1')).toMatchObject({ allowed: true, remaining: 1 });
    expect(await get('/api/v1/quotas')).toEqual({ quotas: ['plan'] });
    expect(await get('/api/v1/quotas/plan/subjects/u1')).toMatchObject({ usage: { calls: { day: { used: 2 } } } });
    const lock = await kit.locks.acquire('deploy');
    expect(await get('/api/v1/locks/deploy')).toMatchObject({ holders: [{ token: String(lock.token) }], waiting: 0 });
    await lock.release();
    const seen: number[] = [];
    let broken = true;
    const consumer = bus.consume('orders:placed', { group: 'billing', maxAttempts: 1 }, ({ data }) => {
      if (broken) throw new Error('no such account');
      seen.push(data.id);
    });
    await consumer.ready;
    await bus.publish('orders:placed', { id: 7 });
    await until('it is given up', async () => (await bus.lag('orders:placed', 'billing')).deadLetters === 1);
    expect(await get('/api/v1/queues')).toMatchObject({
      queues: [{ name: 'orders:placed', kind: 'stream', deadLetters: 1, groups: [{ name: 'billing', pending: 0 }] }],
    });
    expect(await get('/api/v1/queues/orders:placed/dead-letters')).toMatchObject({
      deadLetters: [{ group: 'billing', attempts: 1, reason: 'no such account', payload: { data: { id: 7 } } }],
    });
    broken = false;
    const init = { body: '{}', headers: { 'content-type': 'application/json' } };
    const replayed = await ask(admin, 'POST', '/api/v1/queues/orders:placed/dead-letters/replay', 'operator', init);
    expect(replayed.body).toEqual({ count: 1 });
    await until('it is handled', () => seen.length === 1);
    await consumer.close();
    await close();
  },
);

it('puts audit events on a bus, and the call does not wait for it', async () => {
  const audited = createBus({ 'audit:admin': durable<AuditEvent>() }, { redis: 'memory' });
  const { admin, close } = await setup('memory', { onAudit: (event) => audited.publish('audit:admin', event) });
  const events = audited.subscribe('audit:admin', { from: 'start' });
  await ask(admin, 'DELETE', '/api/v1/cache/clear', 'operator');
  const { value } = await events.next();
  expect(value?.data).toMatchObject({
    actor: 'operator',
    operation: 'clear',
    status: 200,
    outcome: { confirmed: true },
  });
  await audited.close();
  expect((await ask(admin, 'DELETE', '/api/v1/cache/clear', 'operator')).status).toBe(200);
  await close();
});
