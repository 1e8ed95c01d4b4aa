import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { startProxy, startRedis, until, type Proxy, type StandaloneRedis } from '../../../test/servers/index.ts';
import { createQuota, type QuotaThreshold } from '../src/index.ts';

let server: StandaloneRedis;
let proxy: Proxy;

beforeAll(async () => {
  server = await startRedis(['--appendonly', 'yes', '--appendfsync', 'always']);
  proxy = await startProxy({ target: { port: server.port } });
});
afterAll(async () => {
  await proxy.stop();
  await server.stop();
});

it("ioredis's silent retry counts once with an id, and twice without", async () => {
  const client = new Redis(proxy.port, { protocol: 2, retryStrategy: () => 20 });
  client.on('error', () => {});
  onTestFinished(() => client.disconnect());
  const told: QuotaThreshold[] = [];
  const quota = createQuota(
    { calls: { per: 'year', limit: 10 } },
    { redis: { client, commandTimeout: '10s' }, onThreshold: (reached) => void told.push(reached) },
  );
  await quota.ready();
  await quota.usage('warm');
  // The script runs, its reply is cut off, and ioredis sends the command again on its next connection.
  const withLostReply = async (options: { id?: string }, subject: string) => {
    proxy.resetAfter(0);
    return quota.add(subject, { calls: 8 }, options);
  };
  expect(await withLostReply({ id: 'r1' }, 'with id')).toMatchObject({ allowed: true, repeated: true });
  expect((await quota.usage('with id')).calls.year.used).toBe(8);
  // The warning was in the answer that was lost.
  expect(told.map(({ subject, threshold }) => [subject, threshold])).toEqual([['with id', 0.8]]);
  const again = await quota.add('with id', { calls: 8 }, { id: 'r1' });
  expect(again).toMatchObject({ repeated: true });
  expect(told).toHaveLength(1);

  expect((await withLostReply({}, 'without')).allowed).toBe(false);
  expect((await quota.usage('without')).calls.year.used).toBe(8);
  proxy.resetAfter(0);
  await quota.add('small', { calls: 1 });
  expect((await quota.usage('small')).calls.year.used).toBe(2);

  const { hold } = await quota.reserve('held', { calls: 5 }, { id: 'job' });
  proxy.resetAfter(0);
  expect(await hold?.commit({ calls: 3 })).toMatchObject({
    status: 'committed',
    repeated: true,
    charged: { calls: 3 },
  });
  expect((await quota.usage('held')).calls.year).toMatchObject({ used: 3, held: 0 });
  proxy.resetAfter(0);
  expect(await quota.reserve('held', { calls: 5 }, { id: 'job 2' })).toMatchObject({ allowed: true, repeated: true });
  expect((await quota.usage('held')).calls.year).toMatchObject({ used: 3, held: 5 });
  await quota.close();
});

it('a Redis that is killed again and again loses no charge that was acknowledged, and counts none twice', async () => {
  const quota = createQuota(
    { calls: { per: ['day', 'year'], limit: 1e9 }, cost: { per: 'year', limit: 1e9 } },
    { redis: { url: server.url, commandTimeout: '2s', breaker: { resetAfter: '100ms' } } },
  );
  onTestFinished(() => quota.close());
  await quota.ready();
  let acknowledged = 0;
  let failed = 0;
  let charged = 0;
  const state = { over: false };
  const deadline = performance.now() + 45_000;
  const insist = async <T>(call: () => Promise<T>): Promise<T> => {
    for (;;) {
      try {
        return await call();
      } catch (error) {
        const unavailable = (error as { code?: string }).code === 'ERR_QUOTA_UNAVAILABLE';
        if (!unavailable || performance.now() > deadline) throw error;
        failed++;
        await quota.ready('5s').catch(() => undefined);
      }
    }
  };
  const work = async (caller: number): Promise<void> => {
    for (let i = 0; !state.over; i++) {
      const id = `${caller}-${i}`;
      if (caller % 2 === 0) {
        await insist(() => quota.add('user', { calls: 1, cost: 7 }, { id }));
        charged += 7;
      } else {
        await insist(() => quota.reserve('user', { calls: 1, cost: 50 }, { id }));
        const settled = await insist(() => quota.commit('user', id, { cost: 5 }));
        expect(settled).toMatchObject({ status: 'committed', charged: { cost: 5 } });
        charged += 5;
      }
      acknowledged++;
    }
  };
  const workers = Promise.allSettled(Array.from({ length: 8 }, (_, caller) => work(caller)));
  try {
    for (let kill = 0; kill < 3; kill++) {
      const before = acknowledged;
      await until('some charges are acknowledged', () => acknowledged > before + 50);
      await server.process.end('SIGKILL');
      await server.process.start();
    }
  } finally {
    state.over = true;
  }
  expect((await workers).filter(({ status }) => status === 'rejected')).toEqual([]);
  expect(failed).toBeGreaterThan(0);
  const { calls, cost } = await quota.usage('user');
  expect(calls.year).toMatchObject({ used: acknowledged, held: 0 });
  expect(cost.year).toMatchObject({ used: charged, held: 0 });
}, 60_000);
