import { afterAll, beforeAll, expect, test } from 'vitest';
import { ask, startSentinel, until, type RedisSentinel } from '../../../test/servers/index.ts';
import { ownTimeMs } from '../../../test/support/own-time.ts';
import { sleep } from '../../../test/support/sleep.ts';
import { checkHealth, createRedis, defineScript, type RedisConnection } from '../src/index.ts';
import { clean, left } from './left-behind.ts';

let group: RedisSentinel;
let redis: RedisConnection;

beforeAll(async () => {
  group = await startSentinel();
  redis = createRedis({ sentinels: group.sentinels, name: group.name, maxConnections: 5 });
  await redis.ready();
});
afterAll(async () => {
  await redis.close();
  await group.stop();
});

const add = defineScript({
  name: 'add',
  keys: ['key'],
  args: { by: 'integer' },
  reply: Number,
  lua: `return redis.call('INCRBY', key, by)`,
});

test('finds the master', async () => {
  expect(redis.topology).toBe('sentinel');
  expect(await add.run(redis, { key: 'n' }, { by: 2 })).toBe(2);
  const health = await checkHealth(redis);
  expect(health).toMatchObject({
    status: 'up',
    nodes: [{ address: `127.0.0.1:${group.processes[await group.master()]?.port}` }],
  });
});

test('follows the master to another server, with every connection and duplicate', async () => {
  const subscriber = redis.duplicate('subscriber');
  const blocking = redis.duplicate('blocking');
  await until('connected', () => Promise.resolve(subscriber.status === 'ready' && blocking.status === 'ready'));
  const old = await group.master();
  const killed = performance.now();
  await group.processes[old]?.end();
  await until('the failover', async () => {
    let worked = false;
    const adding = async () => {
      await add.run(redis, { key: 'n' }, { by: 1 });
      worked = true;
    };
    expect(await ownTimeMs(() => adding().catch(() => undefined))).toBeLessThan(450);
    await sleep(10);
    return worked;
  });
  expect(performance.now() - killed).toBeLessThan(8_000);
  const now = group.processes[await group.master()]?.port;
  expect(now).not.toBe(group.processes[old]?.port);
  await until('all connections are back', async () => {
    const ids = await Promise.all(
      Array.from({ length: 10 }, () => redis.execute((client) => client.call('CLIENT', 'ID'))),
    ).catch(() => []);
    return new Set(ids).size === 5 && subscriber.status === 'ready' && blocking.status === 'ready';
  });
  expect(subscriber.stream.remotePort).toBe(now);
  expect(blocking.stream.remotePort).toBe(now);
});

test('an unknown master is an error, and found once it is there', async () => {
  const lost = createRedis({ sentinels: group.sentinels, name: 'no-such-master' });
  await expect(lost.ready(300)).rejects.toMatchObject({ code: 'ERR_REDIS_UNAVAILABLE' });
  await lost.close();
});

test('close() leaves nothing and nothing is printed, be the Sentinels up, frozen or gone', async () => {
  const create = `const redis = createRedis({ sentinels: ${JSON.stringify(group.sentinels)}, name: ${JSON.stringify(group.name)} });`;
  const use = `await redis.ready(); redis.duplicate('subscriber'); redis.execute((client) => client.ping()).catch(() => {});`;
  expect(await left(create)).toEqual(clean);
  expect(await left(`${create} ${use}`)).toEqual(clean);
  for (const sentinel of group.sentinelProcesses) sentinel.signal('SIGSTOP');
  expect(await left(`${create} await sleep(1300);`)).toEqual(clean);
  const onCue = (): void => group.sentinelProcesses.forEach((sentinel) => void sentinel.end());
  for (const sentinel of group.sentinelProcesses) sentinel.signal('SIGCONT');
  expect(await left(`${create} ${use} console.log('now'); await sleep(500);`, onCue)).toEqual(clean);
  expect(await left(`${create} redis.duplicate('blocking'); await sleep(500);`)).toEqual(clean);
  await Promise.all(group.sentinelProcesses.map((sentinel) => sentinel.start()));
});

test('a Sentinel that refuses to tell of failovers after a reconnect leaves no rejection that nobody handles', async () => {
  const ports = group.sentinelProcesses.map(({ port }) => port);
  const everywhere = (...command: string[]): Promise<unknown> =>
    Promise.all(ports.map((port) => ask(port, ...(command as [string, ...string[]]))));
  const subscribers = async (): Promise<number> => {
    const lists = await Promise.all(ports.map((port) => ask(port, 'CLIENT', 'LIST', 'TYPE', 'pubsub')));
    return lists.reduce<number>((count, list) => count + String(list).split('cmd=subscribe').length - 1, 0);
  };
  const before = await subscribers();
  const onCue = (): void =>
    void (async () => {
      await until('it is subscribed', async () => (await subscribers()) > before);
      await everywhere('ACL', 'SETUSER', 'default', '-subscribe');
      await everywhere('CLIENT', 'KILL', 'TYPE', 'pubsub');
    })();
  const sentinels = JSON.stringify(group.sentinels);
  const program = `
    const redis = createRedis({ sentinels: ${sentinels}, name: ${JSON.stringify(group.name)} });
    await redis.ready();
    console.log('now');
    await sleep(2500);
  `;
  try {
    expect(await left(program, onCue)).toEqual(clean);
  } finally {
    await everywhere('ACL', 'SETUSER', 'default', '+subscribe');
  }
});
