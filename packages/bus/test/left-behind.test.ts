import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createRedis } from '@tierkit/redis';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bundle, type Bundle } from '../../../test/support/bundle.ts';
import { startRedis, until, type StandaloneRedis } from '../../../test/servers/index.ts';
import { createBus, durable, ephemeral, type BusOptions } from '../src/index.ts';

const channels = { news: ephemeral<number>(), 'user:{id}': ephemeral<number>(), orders: durable<number>() };
const start = promisify(execFile);
const ROUNDS = Number(process.env['BUS_ROUNDS'] ?? 3_000);
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
let server: StandaloneRedis;
let admin: Redis;
let program: Bundle;

beforeAll(async () => {
  server = await startRedis();
  admin = new Redis(server.url);
  program = await bundle(fileURLToPath(new URL('children/ends.ts', import.meta.url)));
});
afterAll(async () => {
  admin.disconnect();
  program.remove();
  await server.stop();
});

test.each(['memory', 'Redis'])('a process that closes its bus ends by itself: %s', async (where) => {
  const url = where === 'memory' ? where : server.url;
  const { stdout } = await start(process.execPath, [program.file, url, `${where}:`, 'close'], { timeout: 15_000 });
  expect(stdout).toBe('closed ERR_BUS_CLOSED ended');
  await until('its connections are gone', async () => (await connections()) === 1);
});

test('a process that has a bus open goes on', async () => {
  const child = start(process.execPath, [program.file, server.url, 'open:', 'open']);
  try {
    await until('it listens', async () => (await connections()) > 3);
    const ended = child.then(() => 'ended');
    expect(await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 500, 'goes on'))])).toBe('goes on');
  } finally {
    child.child.kill('SIGKILL');
    await child.catch(() => undefined);
  }
});

test.each(['memory', 'Redis'])('rounds of listening leave nothing behind: %s', async (where) => {
  const redis: BusOptions['redis'] = where === 'memory' ? 'memory' : server.url;
  const bus = createBus(channels, { redis, prefix: 'rounds:' });
  await bus.ready();
  const stays = bus.subscribe('news');
  await stays.ready;
  const { signal } = new AbortController();
  const round = (n: number): void => {
    const name = `user:${n % 50}` as const;
    const off = bus.on(name, () => undefined, { signal });
    const subscription = bus.subscribe(['user:*', 'news', name], { signal });
    const waiting = subscription.next();
    off();
    if (n % 2 === 0) subscription.close();
    else void subscription.return?.();
    void waiting;
  };
  const rounds = async (count: number): Promise<number> => {
    for (let n = 0; n < count; n++) {
      round(n);
      if (n % 100 === 99) await new Promise((resolve) => setImmediate(resolve));
    }
    await until('it is quiet', async () => where === 'memory' || (await listened()) === 1);
    collect();
    return process.memoryUsage().heapUsed;
  };
  const before = await rounds(500);
  const after = await rounds(ROUNDS);
  expect(bus.stats()).toMatchObject({ subscriptions: 1, consumers: 0 });
  // An inbox that is kept, empty, has more than 1 kB.
  expect((after - before) / ROUNDS).toBeLessThan(500);
  await bus.publish('news', 7);
  expect((await stays.next()).value?.data).toBe(7);
  await bus.close();
  await until('its connections are gone', async () => (await connections()) === 1);
});

test('consumers and durable subscriptions leave no connection behind', async () => {
  const bus = createBus(channels, { redis: server.url, prefix: 'streams:' });
  await bus.ready();
  const own = await connections();
  for (let n = 0; n < 20; n++) {
    const consumer = bus.consume('orders', { group: 'g' }, () => undefined);
    const events = bus.subscribe('orders', { from: 'start' });
    if (n % 2 === 0) await Promise.all([consumer.ready, events.ready]);
    events.close();
    await consumer.close();
  }
  await until('theirs are gone', async () => (await connections()) === own);
  expect(await bus.lag('orders', 'g')).toMatchObject({ consumers: 0, pending: 0 });
  await bus.close();
});

test('a bus that cannot be made leaves no connection, and one that was given is left open', async () => {
  const before = await connections();
  const wrong = { redis: server.url, durableRedis: 'nowhere at all' };
  expect(() => createBus(channels, wrong)).toThrow(expect.objectContaining({ code: 'ERR_REDIS_OPTIONS' }) as Error);
  const redis = createRedis(server.url);
  await redis.ready();
  // This one began later, so that the other would be there by now.
  await until('it is gone', async () => (await connections()) === before + 1);
  const bus = createBus(channels, { redis, prefix: 'given:' });
  await bus.ready();
  await bus.close();
  expect(await redis.execute((client) => client.ping())).toBe('PONG');
  await redis.close();
});

test('durable channels are kept on durableRedis alone', async () => {
  const bus = createBus(channels, { redis: server.url, durableRedis: `${server.url}/1`, prefix: 'apart:' });
  await bus.ready();
  await bus.publish('orders', 1);
  await bus.consume('orders', { group: 'g' }, () => undefined).close();
  expect(await admin.keys('apart:*')).toEqual([]);
  await admin.select(1);
  expect((await admin.keys('apart:*')).toSorted()).toEqual(['apart:bus:{orders}', 'apart:bus:{orders}count']);
  await admin.select(0);
  await bus.close();
});

async function connections(): Promise<number> {
  return ((await admin.client('LIST')) as string).trim().split('\n').length;
}

/** How many channels somebody listens to, the bus's own ones aside. */
async function listened(): Promise<number> {
  const names = (await admin.pubsub('CHANNELS', 'rounds:bus:0:*')) as string[];
  return names.length + Number(await admin.pubsub('NUMPAT'));
}
