import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { afterEach, expect, inject, test } from 'vitest';
import { startRedis, until } from '../../../test/servers/index.ts';
import { ownTimeMs } from '../../../test/support/own-time.ts';
import { createRedis, defineScript, scan } from '../src/index.ts';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

function userClient(url: string, options: object = {}): Redis {
  const client = new Redis(url, { ...options });
  client.on('error', () => undefined);
  ends.push(() => client.disconnect());
  return client;
}

test('works on the client as it is, and leaves it as it was', async () => {
  const client = userClient(inject('redisUrl'), { lazyConnect: true, db: 0 });
  const options = { ...client.options };
  const listeners = (): number[] => ['ready', 'close', 'end', 'error'].map((event) => client.listenerCount(event));
  const before = listeners();
  const redis = createRedis(client);
  expect(redis.owned).toBe(false);
  await redis.ready();
  const key = randomUUID();
  const script = defineScript({
    name: 's',
    keys: ['key'],
    args: { n: 'integer' },
    reply: Number,
    lua: `return n + #key`,
  });
  expect(await script.run(redis, { key }, { n: 1 })).toBe(key.length + 1);
  await redis.execute((c) => c.set(key, 'x', 'EX', 10));
  const found: string[] = [];
  for await (const keys of scan(redis, { match: key })) found.push(...keys);
  expect(found).toEqual([key]);
  const duplicate = redis.duplicate('blocking');
  await redis.close();
  expect(client.status).toBe('ready');
  expect(await client.get(key)).toBe('x');
  expect(duplicate.status).toBe('end');
  expect(client.options).toEqual(options);
  expect(listeners()).toEqual(before);
});

test('bounds calls of a client without a timeout, and queues nothing', async () => {
  const server = await startRedis();
  ends.push(() => server.stop());
  const redis = createRedis(userClient(server.url));
  ends.push(() => redis.close());
  await redis.ready();
  server.process.signal('SIGSTOP');
  let results: unknown[] = [];
  const ms = await ownTimeMs(async () => {
    results = await Promise.allSettled(Array.from({ length: 20 }, () => redis.execute((c) => c.get('k'))));
  });
  expect(ms).toBeLessThan(400);
  expect(results).toHaveLength(20);
  for (const result of results) {
    expect(result).toMatchObject({ reason: { code: 'ERR_REDIS_TIMEOUT', details: { applied: 'unknown' } } });
  }
  expect(redis.breaker.state).toBe('open');
  server.process.signal('SIGCONT');
  await redis.ready();
  await server.process.end();
  await until('the loss is noticed', () => Promise.resolve(redis.status === 'unavailable'));
  await expect(redis.execute((c) => c.get('k'))).rejects.toMatchObject({
    code: 'ERR_REDIS_UNAVAILABLE',
    details: { applied: 'no' },
  });
});

test('bounds a blocking call on a client without a timeout', async () => {
  const redis = createRedis(userClient(inject('redisUrl')));
  ends.push(() => redis.close());
  await redis.ready();
  const slow = redis.execute((c) => c.blpop(randomUUID(), 1));
  await expect(slow).rejects.toMatchObject({ code: 'ERR_REDIS_TIMEOUT' });
});

test('other limits than the defaults can be given with the client', async () => {
  const server = await startRedis();
  ends.push(() => server.stop());
  const redis = createRedis({ client: userClient(server.url), commandTimeout: 50, breaker: { failures: 1 } });
  ends.push(() => redis.close());
  await redis.ready();
  server.process.signal('SIGSTOP');
  const timedOut = async () =>
    expect(redis.execute((c) => c.get('k'))).rejects.toMatchObject({ code: 'ERR_REDIS_TIMEOUT' });
  expect(await ownTimeMs(timedOut)).toBeLessThan(150);
  expect(redis.breaker.state).toBe('open');
  server.process.signal('SIGCONT');
});

test("a client's own shorter timeout is kept", async () => {
  const server = await startRedis();
  ends.push(() => server.stop());
  const redis = createRedis(userClient(server.url, { commandTimeout: 60 }));
  ends.push(() => redis.close());
  await redis.ready();
  server.process.signal('SIGSTOP');
  const timedOut = async () =>
    expect(redis.execute((c) => c.get('k'))).rejects.toMatchObject({ code: 'ERR_REDIS_TIMEOUT' });
  expect(await ownTimeMs(timedOut)).toBeLessThan(150);
  server.process.signal('SIGCONT');
});
