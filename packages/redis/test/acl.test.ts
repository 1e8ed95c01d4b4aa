import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startRedis, type StandaloneRedis } from '../../../test/servers/index.ts';
import { checkHealth, createRedis, defineScript, scan, type RedisConnection } from '../src/index.ts';

let server: StandaloneRedis;
let redis: RedisConnection;

beforeAll(async () => {
  const app = ['on', '>secret', '~app:*', '&app:*', '+@all', '-@dangerous', '+info', '-@admin'];
  server = await startRedis(['--user', 'default', 'off', '--user', 'app', ...app]);
  redis = createRedis(`redis://app:secret@127.0.0.1:${server.port}`);
  await redis.ready();
});
afterAll(async () => {
  await redis.close();
  await server.stop();
});

const touch = defineScript({
  name: 'touch',
  keys: ['key'],
  args: {},
  reply: String,
  lua: `return redis.call('SET', key, '1')`,
});

test('an ACL user works within its prefix', async () => {
  expect(await touch.run(redis, { key: 'app:1' }, {})).toMatch('OK');
  const found: string[] = [];
  for await (const keys of scan(redis, { match: 'app:*' })) found.push(...keys);
  expect(found).toEqual(['app:1']);
  expect(await checkHealth(redis)).toMatchObject({ status: 'up' });
  const subscriber = redis.duplicate('subscriber');
  await once(subscriber, 'ready');
  expect(await subscriber.subscribe('app:news')).toBe(1);
});

test('keys, channels and commands outside are refused, without opening the breaker', async () => {
  const refused = { code: 'ERR_REDIS_REPLY', details: { reply: 'NOPERM', applied: 'no' } };
  for (let i = 0; i < 3; i++) {
    await expect(redis.execute((client) => client.get('other:1'))).rejects.toMatchObject(refused);
    await expect(redis.execute((client) => client.publish('other:news', 'x'))).rejects.toMatchObject(refused);
    await expect(redis.execute((client) => client.flushall())).rejects.toMatchObject(refused);
  }
  await expect(touch.run(redis, { key: 'other:1' }, {})).rejects.toMatchObject({ code: 'ERR_REDIS_REPLY' });
  expect(redis.breaker).toEqual({ state: 'closed', failures: 0 });
});

test('a wrong password or user is told', async () => {
  const wrong = createRedis(`redis://app:wrong@127.0.0.1:${server.port}`);
  const anonymous = createRedis(server.url);
  const [first, second] = await Promise.all(
    [wrong, anonymous].map((c) => c.ready(400).catch((error: unknown) => error)),
  );
  expect(first).toMatchObject({ cause: { message: expect.stringContaining('WRONGPASS') as string } });
  expect(second).toMatchObject({ cause: { message: expect.stringContaining('NOAUTH') as string } });
  await Promise.all([wrong.close(), anonymous.close()]);
});
