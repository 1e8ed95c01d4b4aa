import { Redis } from 'ioredis';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { startCluster, startProxy, startRedis, until } from '../../../test/servers/index.ts';
import { createRedis, defineScript, type RedisConnection } from '../src/index.ts';

const keep = defineScript({
  name: 'keep-in-order',
  keys: ['list'],
  args: { n: 'integer' },
  reply: Number,
  lua: "return redis.call('RPUSH', list, n)",
});

const numbers = Array.from({ length: 200 }, (_, n) => String(n));

/** Runs that nobody waits for, each in a turn of its own. */
async function runAll(redis: RedisConnection, list: string): Promise<void> {
  const runs: Promise<number>[] = [];
  for (const n of numbers) {
    runs.push(keep.run(redis, { list }, { n: Number(n) }));
    await turn();
  }
  await Promise.all(runs);
}

test('runs keep their order where the server does not know the script, at first and after a restart', async () => {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  const link = await startProxy({ target: { port: server.port } });
  onTestFinished(() => link.stop());
  // Replies are under way while more runs are made.
  link.latency(5);
  const redis = createRedis({ url: link.url, commandTimeout: '5s' });
  onTestFinished(() => redis.close());
  await redis.ready();
  const raw = new Redis(server.url);
  raw.on('error', () => {});
  onTestFinished(() => raw.disconnect());
  for (const list of ['at first', 'after a restart']) {
    await runAll(redis, list);
    expect(await raw.lrange(list, 0, -1)).toEqual(numbers);
    await server.process.end('SIGKILL');
    await server.process.start();
    await until('it is back', async () => (await redis.execute((client) => client.ping())) === 'PONG');
    await until('for this test as well', async () => (await raw.ping()) === 'PONG');
  }
});

test('runs keep their order on nodes of a Cluster that do not know the script', async () => {
  const cluster = await startCluster();
  onTestFinished(() => cluster.stop());
  const redis = createRedis({ cluster: cluster.nodes, commandTimeout: '5s' });
  onTestFinished(() => redis.close());
  await redis.ready();
  for (const list of ['a', 'b', 'c', 'd', 'e', 'f']) {
    await runAll(redis, list);
    expect(await redis.execute((client) => client.lrange(list, 0, -1))).toEqual(numbers);
  }
});
