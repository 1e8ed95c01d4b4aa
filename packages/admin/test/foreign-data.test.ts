import { durable } from '@tierkit/bus';
import { createRedis, type RedisConnection } from '@tierkit/redis';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { sharedRedis } from '../../../test/support/shared-redis.ts';
import { ask, setup, type Setup } from './support.ts';

let own: Setup;
let raw: RedisConnection;
beforeAll(async () => {
  own = await setup(inject('redisUrl'));
  raw = createRedis(sharedRedis());
  await raw.ready('10s');
});
afterAll(async () => {
  await raw.close();
  await own.close();
});

/** Puts a list where tierkit would have something else. */
async function spoil(key: string): Promise<void> {
  const { prefix } = own.kit.info();
  await raw.execute((client) => client.del(prefix + key));
  await raw.execute((client) => client.rpush(prefix + key, 'of somebody else'));
}

const foreign = {
  status: 409,
  body: { title: 'Conflict', status: 409, code: 'ERR_ADMIN_FOREIGN', detail: expect.stringContaining('not written') },
};

it('says of what is under a key and none of ours that it is that, and ends it when told to', async () => {
  await spoil('strange');
  for (const route of ['entry', 'key']) {
    const answer = await ask(own.admin, 'GET', `/api/v1/cache/${route}/strange`);
    expect(answer).toMatchObject(foreign);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(JSON.stringify(answer.body)).not.toContain('somebody else');
  }
  expect((await ask(own.admin, 'DELETE', '/api/v1/cache/key/strange')).body).toEqual({ confirmed: true });
  expect((await ask(own.admin, 'GET', '/api/v1/cache/entry/strange')).status).toBe(404);
});

it('says so of a key of a scope, one that was read here or not', async () => {
  await spoil('session:{s}:strange');
  for (let round = 0; round < 2; round++) {
    expect(await ask(own.admin, 'GET', '/api/v1/cache/entry/strange?tier=session&scope=s')).toMatchObject(foreign);
    await own.kit.session('s').get('other');
  }
  expect((await ask(own.admin, 'GET', '/api/v1/cache/entry/other?tier=session&scope=s')).status).toBe(404);
});

it('says so of a lock, of a quota and of dead letters too', async () => {
  const quota = own.kit.quota({ calls: { per: 'day', limit: 5 } }, { prefix: 'plan:' });
  const { calls } = await quota.add('ann', { calls: 1 }).then(({ usage }) => usage);
  await own.kit.bus({ orders: durable<string>() }).publish('orders', 'first');
  await spoil('lock:{job}');
  await spoil(`plan:quota:{ann}:per:day:${calls.day.startMs}`);
  await spoil('bus:{orders}dead');
  expect(await ask(own.admin, 'GET', '/api/v1/locks/job')).toMatchObject(foreign);
  expect(await ask(own.admin, 'GET', '/api/v1/queues/orders/dead-letters')).toMatchObject(foreign);
  const path = '/api/v1/quotas/plan/subjects/ann';
  expect(await ask(own.admin, 'GET', path)).toMatchObject({
    status: 409,
    body: { title: 'Conflict', code: 'ERR_QUOTA_CORRUPT', detail: expect.stringContaining('not written by a quota') },
  });
  expect(await ask(own.admin, 'DELETE', path)).toMatchObject({
    status: 200,
    body: { usage: { calls: { day: { used: 0 } } } },
  });
  expect((await ask(own.admin, 'DELETE', '/api/v1/locks/job')).body).toEqual({ released: true });
});

it('says what is missing where the limits of a quota depend on a plan', async () => {
  const limit = (plan: { readonly calls: number }): number => plan.calls;
  own.kit.quota({ calls: { per: 'day', limit } }, { prefix: 'by-plan:' });
  expect(await ask(own.admin, 'GET', '/api/v1/quotas/by-plan/subjects/ann')).toMatchObject({
    status: 409,
    body: { code: 'ERR_QUOTA_PLAN', detail: expect.stringContaining('give the call one') },
  });
});

it('says that a quota of gauges has no periods to begin anew', async () => {
  const quota = own.kit.quota({ seats: { gauge: true, limit: 3 } }, { prefix: 'gauges:' });
  await quota.set('ann', { seats: 2 });
  expect(await ask(own.admin, 'DELETE', '/api/v1/quotas/gauges/subjects/ann')).toMatchObject({
    status: 400,
    body: { code: 'ERR_QUOTA_AMOUNTS' },
  });
});
