import { afterAll, beforeAll, expect, it } from 'vitest';
import { createRedis, type RedisConnection } from '@tierkit/redis';
import { sleep } from '../support/sleep.ts';
import { ask, startCluster, until, type RedisCluster } from '../servers/index.ts';

let cluster: RedisCluster;

beforeAll(async () => {
  cluster = await startCluster();
});

afterAll(async () => {
  await cluster.stop();
});

const keys = Array.from({ length: 300 }, (_, i) => `connections:${i}`);

async function failures(redis: RedisConnection): Promise<unknown[]> {
  const calls = await Promise.allSettled(keys.map((key) => redis.execute((client) => client.set(key, 'value'))));
  return calls.flatMap((call) => (call.status === 'rejected' ? [call.reason] : []));
}

it('a ready connection serves all slots from the first call on, whichever nodes it was given', async () => {
  for (const node of cluster.nodes) {
    const redis = createRedis({ cluster: [node] });
    await redis.ready();
    expect(await failures(redis)).toEqual([]);
    expect(redis.breaker).toEqual({ state: 'closed', failures: 0 });
    await redis.close();
  }
});

it('lost sockets of healthy nodes cost some calls and no more than a moment', async () => {
  const redis = createRedis({ cluster: cluster.nodes });
  await redis.ready();
  for (const { port } of cluster.nodes) await ask(port, 'CLIENT', 'KILL', 'TYPE', 'normal');
  const begin = performance.now();
  await until('all slots are served again', async () => (await failures(redis)).length === 0, 3_000);
  expect(performance.now() - begin).toBeLessThan(2_500);
  await redis.close();
});

it('close() in the middle of connecting leaves a connection closed', async () => {
  for (const ms of [0, 1, 2, 5, 10, 20, 50]) {
    const redis = createRedis({ cluster: cluster.nodes });
    await sleep(ms);
    await redis.close();
    await sleep(50);
    expect(redis.status).toBe('closed');
    await expect(redis.execute((client) => client.ping())).rejects.toMatchObject({ code: 'ERR_REDIS_UNAVAILABLE' });
  }
});

it('a master that is frozen while connecting does not hold up the others', async () => {
  const frozen = await cluster.masterOf(keys[0] ?? '');
  const options = { cluster: cluster.nodes.filter((_, i) => i !== frozen) };
  cluster.processes[frozen]?.signal('SIGSTOP');
  try {
    const redis = createRedis(options);
    await redis.ready('3s');
    expect((await failures(redis)).length).toBeLessThan(keys.length);
    await redis.close();
  } finally {
    cluster.processes[frozen]?.signal('SIGCONT');
  }
});

it('a master behind a dead link does not take the others with it', async () => {
  const behind = await startCluster({ proxied: true });
  const redis = createRedis({ cluster: behind.nodes });
  try {
    await redis.ready();
    const owners = await Promise.all(keys.slice(0, 60).map(async (key) => [key, await behind.masterOf(key)] as const));
    const dead = owners[0]?.[1] ?? 0;
    const count = { healthy: 0, healthyFailed: 0, dead: 0, deadFailed: 0 };
    behind.proxies[dead]?.drop();
    const end = performance.now() + 3_000;
    const callers = owners.map(async ([key, owner]) => {
      const side = owner === dead ? 'dead' : 'healthy';
      while (performance.now() < end) {
        count[side]++;
        await redis.execute((client) => client.get(key)).catch(() => count[`${side}Failed`]++);
        await sleep(5);
      }
    });
    await Promise.all(callers);
    expect(count.dead).toBe(count.deadFailed);
    expect(count.healthy).toBeGreaterThan(1_000);
    expect(count.healthyFailed / count.healthy).toBeLessThan(0.01);
  } finally {
    await redis.close();
    await behind.stop();
  }
});
