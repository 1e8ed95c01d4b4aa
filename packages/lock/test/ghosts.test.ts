import { randomBytes } from 'node:crypto';
import { silentLogger, systemClock } from '@tierkit/core';
import { createRedis } from '@tierkit/redis';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { until } from '../../../test/servers/index.ts';
import { sharedRedis } from '../../../test/support/shared-redis.ts';
import { sleep } from '../../../test/support/sleep.ts';
import { createLocks, type Locks } from '../src/index.ts';
import { RedisStore } from '../src/stores/redis-store.ts';

const prefix = `t${randomBytes(6).toString('hex')}:`;
let locks: Locks;
let client: Redis;

beforeAll(async () => {
  locks = createLocks({ redis: sharedRedis(), prefix });
  client = new Redis(inject('redisUrl'), { protocol: 2 });
  await locks.ready();
});
afterAll(async () => {
  await locks.close();
  client.disconnect();
});

it('keeps what was confirmed when the news of a turn comes late', async () => {
  const first = await locks.acquire('late news');
  const second = locks.acquire('late news');
  await until('it waits', async () => (await locks.inspect('late news')).waiting === 1);
  const third = locks.acquire('late news');
  await until('both wait', async () => (await locks.inspect('late news')).waiting === 2);
  await first.release();
  const held = await second;
  const owner = (await locks.inspect('late news')).holders[0]?.owner ?? '';
  const [channel = ''] = (await client.pubsub('CHANNELS', `${prefix}*${owner.split('.')[0] ?? '-'}`)) as string[];
  expect(await client.publish(channel, `${owner} x ${prefix}lock:{late%20news}`)).toBe(1);
  await sleep(30);
  expect((await locks.inspect('late news')).holders).toMatchObject([{ owner, token: held.token }]);
  await held.extend();
  expect(await held.release()).toBe(true);
  expect(await (await third).release()).toBe(true);
});

it('passes on the turn of a request whose caller has gone', async () => {
  const redis = createRedis(sharedRedis());
  await redis.ready();
  const process = randomBytes(6).toString('hex');
  const store = new RedisStore(redis, { prefix, process, logger: silentLogger, clock: systemClock });
  const request = { resource: 'lock:{passed%20on}', shape: 'x', ttlMs: 30_000 } as const;
  try {
    const first = { ...request, owner: `${process}.0` };
    const taken = await store.take(first, 'try');
    // The process listens, but nobody waits there for the second place.
    const attendance = store.attend({ ...request, owner: `${process}.1` }, () => {});
    await attendance.ready;
    const second = { ...request, owner: `${process}.2` };
    store.attend(second, () => {}).leave();
    await store.take(second, 'wait');
    let woken = 0;
    const third = { ...request, owner: `${process}.3` };
    const thirds = store.attend(third, () => woken++);
    await store.take(third, 'wait');
    const begunMs = performance.now();
    expect(await store.release(first, taken.token ?? '')).toBe(true);
    await until('the third has its turn', () => woken === 1);
    // Sooner than a turn that nobody confirms runs out.
    expect(performance.now() - begunMs).toBeLessThan(400);
    expect((await store.take(third, 'wait')).token).toBeDefined();
    thirds.leave();
    attendance.leave();
  } finally {
    await store.close();
    await redis.close();
  }
});

it('skips waiters of processes that do not listen, and takes their places away', async () => {
  const redis = createRedis(sharedRedis());
  await redis.ready();
  const dead = new RedisStore(redis, { prefix, process: 'dead', logger: silentLogger, clock: systemClock });
  const first = await locks.acquire('dead process');
  const request = { resource: 'lock:{dead%20process}', shape: 'x', ttlMs: 30_000 } as const;
  for (let i = 0; i < 5; i++) await dead.take({ ...request, owner: `dead.${i}` }, 'wait');
  const next = locks.acquire('dead process');
  await until('all wait', async () => (await locks.inspect('dead process')).waiting === 6);
  const begunMs = performance.now();
  await first.release();
  await (await next).release();
  expect(performance.now() - begunMs).toBeLessThan(300);
  await dead.close();
  await redis.close();
});
