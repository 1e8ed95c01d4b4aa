import { once } from 'node:events';
import { Cluster } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ask, startCluster, until, type RedisCluster } from '../../../test/servers/index.ts';
import { ownTimeMs } from '../../../test/support/own-time.ts';
import { sleep } from '../../../test/support/sleep.ts';
import {
  checkHealth,
  createRedis,
  defineScript,
  describeServer,
  groupByMaster,
  pipelineReplies,
  scan,
  slotOf,
  type RedisConnection,
} from '../src/index.ts';
import { clean, left } from './left-behind.ts';

let cluster: RedisCluster;
let redis: RedisConnection;

beforeAll(async () => {
  cluster = await startCluster();
  redis = createRedis({ cluster: cluster.nodes.slice(0, 2) });
  await redis.ready();
});
afterAll(async () => {
  await redis.close();
  await cluster.stop();
});

const keys = Array.from({ length: 300 }, (_, i) => `key:${i}`);

test('knows all masters from some nodes', async () => {
  expect(redis).toMatchObject({ topology: 'cluster', db: 0, owned: true });
  expect(redis.masters()).toHaveLength(3);
  expect(await checkHealth(redis)).toMatchObject({
    status: 'up',
    nodes: [{ status: 'up' }, { status: 'up' }, { status: 'up' }],
  });
});

test('slots are those of the server', async () => {
  const samples = ['', 'a', 'né', '{a}b', 'a{}b', 'x{{y}}z', 'a{b', '{', '}{a}'];
  for (const key of samples) {
    expect(slotOf(key)).toBe(await ask(cluster.nodes[0]?.port ?? 0, 'CLUSTER', 'KEYSLOT', key));
  }
});

test('one pipeline per master holds keys of many slots; scan and INFO see all of them', async () => {
  const groups = groupByMaster(redis, keys, (key) => key);
  expect(groups).toHaveLength(3);
  expect(groups.flat().toSorted()).toEqual(keys.toSorted());
  for (const group of groups) {
    const replies = await redis.execute(async (client) => {
      const pipeline = client.pipeline();
      for (const key of group) pipeline.set(key, 'x');
      return pipelineReplies(await pipeline.exec());
    });
    expect(new Set(replies)).toEqual(new Set(['OK']));
  }
  const found: string[] = [];
  for await (const batch of scan(redis, { match: 'key:*', count: 20 })) found.push(...batch);
  expect([...new Set(found)].toSorted()).toEqual(keys.toSorted());
  const info = await describeServer(redis);
  expect(info.nodes).toHaveLength(3);
  expect(info.total.keys).toBe(keys.length);
});

const sum = defineScript({
  name: 'sum',
  keys: ['first', '...others'],
  args: {},
  reply: Number,
  lua: `local total = 1 + #others redis.call('SET', first, total) return total`,
});

test('a script runs where its keys are, also after SCRIPT FLUSH everywhere', async () => {
  for (const tag of ['a', 'b', 'c', 'd']) {
    expect(await sum.run(redis, { first: `{${tag}}1`, others: [`{${tag}}2`] }, {})).toBe(2);
  }
  await Promise.all(redis.masters().map((node) => node.script('FLUSH')));
  for (const tag of ['a', 'b', 'c', 'd']) expect(await sum.run(redis, { first: `{${tag}}1`, others: [] }, {})).toBe(1);
});

test('keys of several slots are refused before anything is sent', async () => {
  await expect(sum.run(redis, { first: 'a', others: ['b'] }, {})).rejects.toMatchObject({ code: 'ERR_CROSS_SLOT' });
});

test("a Cluster client of the user's own is bounded and used as it is", async () => {
  const client = new Cluster(cluster.nodes.slice());
  const own = createRedis(client);
  await own.ready();
  expect(own).toMatchObject({ topology: 'cluster', owned: false });
  expect(await sum.run(own, { first: '{a}1', others: ['{a}2'] }, {})).toBe(2);
  const hung = async () =>
    expect(own.execute((c) => c.blpop('nothing', 0))).rejects.toMatchObject({ code: 'ERR_REDIS_TIMEOUT' });
  expect(await ownTimeMs(hung)).toBeLessThan(400);
  const duplicate = own.duplicate('subscriber', { key: 'a' });
  await once(duplicate, 'ready');
  await own.close();
  expect(duplicate.status).toBe('end');
  expect(client.status).toBe('ready');
  client.disconnect();
});

test('a duplicate connects to the master of a key, and ends when that master has left', async () => {
  const duplicate = redis.duplicate('subscriber', { key: 'key:1' });
  await once(duplicate, 'ready');
  expect(duplicate.options.port).toBe(cluster.nodes[await cluster.masterOf('key:1')]?.port);
});

test('close() leaves nothing, be the Cluster up or frozen', async () => {
  const create = `const redis = createRedis({ cluster: ${JSON.stringify(cluster.nodes)} });`;
  const use = `
    await redis.ready();
    redis.duplicate('subscriber');
    for (let i = 0; i < 50; i++) redis.execute((client) => client.get('key:' + i)).catch(() => {});
  `;
  expect(await left(create)).toEqual(clean);
  expect(await left(`${create} ${use}`)).toEqual(clean);
  const freeze = (signal: 'SIGSTOP' | 'SIGCONT'): void => cluster.processes.forEach((node) => node.signal(signal));
  const onCue = (): void => freeze('SIGSTOP');
  const result = await left(`${create} ${use} console.log('now'); await sleep(1300);`, onCue);
  freeze('SIGCONT');
  expect(result).toEqual(clean);
  await cluster.healthy();
});

test('fails fast while a master is gone, and works again after the failover, once', async () => {
  const key = 'counter';
  await redis.execute((client) => client.set(key, 0));
  await redis.execute((client) => client.wait(1, 1_000)).catch(() => undefined);
  const lost = await cluster.masterOf(key);
  const subscriber = redis.duplicate('subscriber', { key });
  const ended = new Promise((resolve) => subscriber.once('end', resolve));
  let acknowledged = 0;
  let possible = 0;
  let last = performance.now();
  const killed = performance.now();
  await cluster.processes[lost]?.end();
  await until('the failover', async () => {
    for (let i = 0; i < 10; i++) {
      let error: unknown;
      const counting = () => redis.execute((client) => client.incr(key)).catch((reason: unknown) => (error = reason));
      expect(await ownTimeMs(counting)).toBeLessThan(450);
      if (error === undefined) acknowledged++;
      else {
        last = performance.now();
        if ((error as { details: { applied: string } }).details.applied === 'unknown') possible++;
      }
      await sleep(10);
    }
    return acknowledged > 20;
  });
  const total = Number(await redis.execute((client) => client.get(key)));
  expect(total).toBeGreaterThanOrEqual(acknowledged);
  expect(total).toBeLessThanOrEqual(acknowledged + possible);
  await ended;
  expect(redis.status).toBe('ready');
  expect(last - killed).toBeLessThan(8_000);
});

test('a Cluster that is gone costs nothing, and closes at once', async () => {
  await Promise.all(cluster.processes.map((node) => node.end()));
  await until('the loss is noticed', () => Promise.resolve(redis.status === 'unavailable'));
  const refused = async () =>
    expect(redis.execute((client) => client.get('a'))).rejects.toMatchObject({ code: 'ERR_REDIS_UNAVAILABLE' });
  expect(await ownTimeMs(refused)).toBeLessThan(50);
  expect(await checkHealth(redis)).toMatchObject({ status: 'down' });
  expect(await ownTimeMs(() => redis.close())).toBeLessThan(1_000);
});
