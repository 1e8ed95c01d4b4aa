import { createRedis, type RedisConnection } from '@tierkit/redis';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startRedis, until, type StandaloneRedis } from '../../../test/servers/index.ts';
import { sleep } from '../../../test/support/sleep.ts';
import { RedisStreamReader } from '../src/drivers/redis-stream-reader.ts';

// Blocking reads, with waits that are shorter than those of a bus.
const start = { id: '0-0', count: undefined };
let server: StandaloneRedis;
let admin: Redis;
let redis: RedisConnection;

beforeAll(async () => {
  server = await startRedis();
  admin = new Redis(server.url);
  redis = createRedis(server.url);
});
afterAll(async () => {
  admin.disconnect();
  await redis.close();
  await server.stop();
});

test('a read is given up on a connection that has gone silent, and the next one has another', async () => {
  const reader = new RedisStreamReader(redis, 'silent', () => undefined);
  expect(await reader.read(start, 1, 1)).toEqual([]);
  server.process.signal('SIGSTOP');
  await until('it is given up', () =>
    reader.read(start, 1, 1).then(
      () => false,
      (error: { code?: string }) => error.code?.startsWith('ERR_REDIS_') === true,
    ),
  );
  server.process.signal('SIGCONT');
  await until('it is read again', async () => (await reader.read(start, 1, 1)).length === 0);
  reader.close();
});

test('a group is given nothing that a process drops because it was busy as that came', async () => {
  await admin.xgroup('CREATE', 'busy', 'g', '0', 'MKSTREAM');
  const reader = new RedisStreamReader(redis, 'busy', () => undefined);
  expect(await reader.readGroup('g', 'c', 1, 1)).toEqual([]);
  let got = 0;
  // On a busy machine the read may be over before something is added.
  while (got === 0) {
    await admin.xtrim('busy', 'MAXLEN', 0);
    const reading = reader.readGroup('g', 'c', 1, 100);
    await sleep(30);
    const added = admin.xadd('busy', '*', '1', 'x');
    const began = performance.now();
    while (performance.now() - began < 300);
    await added;
    got = (await reading).length;
    const [given] = (await admin.xpending('busy', 'g')) as [number];
    expect(got).toBe(given);
  }
  reader.close();
});
