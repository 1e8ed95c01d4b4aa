import { createRedis, type RedisConnection } from '@tierkit/redis';
import { Redis } from 'ioredis';
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { startProxy, until, type Proxy } from '../../../test/servers/index.ts';
import { sharedRedis } from '../../../test/support/shared-redis.ts';
import { createLimiter, fixedWindow } from '../src/index.ts';

const policies = [fixedWindow({ limit: 9, per: '1h' })];
let proxy: Proxy;
let direct: RedisConnection;
beforeAll(async () => {
  const { hostname, port } = new URL(inject('redisUrl'));
  proxy = await startProxy({ target: { host: hostname, port: Number(port) } });
  direct = createRedis(sharedRedis());
  await direct.ready();
});
afterAll(async () => {
  await direct.close();
  await proxy.stop();
});

it.each([
  ['an id', 'request-1', 8],
  ['no id', undefined, 7],
])("a command that the user's client sends twice, for a reply that was lost, counts with %s", async (_, id, left) => {
  const prefix = `t${randomBytes(6).toString('hex')}:`;
  const client = new Redis({ port: proxy.port, protocol: 2, retryStrategy: () => 10 });
  client.on('error', () => {});
  const limiter = createLimiter('retried', policies, { redis: client, prefix, shield: false });
  const watching = createLimiter('retried', policies, { redis: direct, prefix, shield: false });
  try {
    await limiter.ready();
    // The server knows the script, so that the next call is one command.
    await limiter.consume('somebody else');
    const before = proxy.accepted;
    proxy.resetAfter(0);
    await limiter.consume('ann', { id });
    await until('the client is back', async () => proxy.accepted > before && client.status === 'ready');
    // Behind the command that was sent again.
    await until('Redis answers', async () => (await limiter.peek('ann')).source === 'redis');
    expect(await watching.peek('ann')).toMatchObject({ remaining: left });
  } finally {
    await Promise.all([limiter.close(), watching.close()]);
    client.disconnect();
  }
});
