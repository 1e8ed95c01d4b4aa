import { createRedis } from '@tierkit/redis';
import { expect, it } from 'vitest';
import { fromEnvironment } from '../src/environment.ts';

const url = 'redis://app:p%40ss@10.0.0.1:7000';

it('reaches a Cluster by some of its nodes, as the user of the URL', () => {
  const { redis } = fromEnvironment({
    REDIS_URL: url,
    REDIS_CLUSTER: 'true',
    REDIS_NODES: '10.0.0.2:7000, [::1]:7001',
  });
  expect(redis).toMatchObject({
    ...{ cluster: ['10.0.0.1:7000', '10.0.0.2:7000', '[::1]:7001'], username: 'app', password: 'p@ss' },
  });
  expect(redis).not.toHaveProperty('url');
  expect(redis).not.toHaveProperty('tls');
});

it('reaches a master by its Sentinels, with the database and TLS of the URL', () => {
  const { redis } = fromEnvironment({
    ...{ REDIS_URL: 'rediss://10.0.0.1:26379/3', REDIS_SENTINEL_NAME: 'main', REDIS_SENTINEL_PASSWORD: ' s ' },
  });
  expect(redis).toMatchObject({
    ...{ sentinels: ['10.0.0.1:26379'], name: 'main', sentinelPassword: ' s ', db: 3, tls: true },
  });
});

it('has a cache of its own as one server, and a Cluster for what must last', () => {
  const environment = { REDIS_URL: url, REDIS_CLUSTER: '1', CACHE_REDIS_URL: 'redis://cache' };
  expect(fromEnvironment(environment)).toMatchObject({
    ...{ redis: { url: 'redis://cache' }, durableRedis: { cluster: ['10.0.0.1:7000'] } },
  });
});

it.each([
  [{ REDIS_URL: url, REDIS_CLUSTER: 'true' }],
  [{ REDIS_HOST: '127.0.0.1', REDIS_PORT: '1', REDIS_SENTINEL_NAME: 'm', REDIS_DB: '2' }],
])('gives options that the connection accepts', async (environment) => {
  const { redis } = fromEnvironment(environment);
  await createRedis(redis).close();
});

it.each([
  [{ REDIS_URL: url, REDIS_CLUSTER: 'true', REDIS_SENTINEL_NAME: 'm' }, 'REDIS_CLUSTER'],
  [{ REDIS_URL: `${url}/1`, REDIS_CLUSTER: 'true' }, 'REDIS_CLUSTER'],
  [{ REDIS_URL: url, REDIS_DB: '1', REDIS_CLUSTER: 'true' }, 'REDIS_CLUSTER'],
  [{ CACHE_REDIS_URL: url, REDIS_CLUSTER: 'true' }, 'REDIS_CLUSTER'],
  [{ CACHE_REDIS_URL: url, REDIS_SENTINEL_NAME: 'm' }, 'REDIS_SENTINEL_NAME'],
  [{ REDIS_URL: url, REDIS_NODES: 'h:1' }, 'REDIS_NODES'],
  [{ REDIS_URL: url, REDIS_CLUSTER: 'true', REDIS_NODES: 'h:1,' }, 'REDIS_NODES'],
  [{ REDIS_URL: url, REDIS_CLUSTER: 'true', REDIS_NODES: 'redis://h:1' }, 'REDIS_NODES'],
  [{ REDIS_URL: url, REDIS_SENTINEL_NAME: 'a b' }, 'REDIS_SENTINEL_NAME'],
  [{ REDIS_URL: url, REDIS_SENTINEL_PASSWORD: 'hidden' }, 'REDIS_SENTINEL_PASSWORD'],
  [{ REDIS_URL: url, REDIS_SENTINEL_NAME: 'm', REDIS_SENTINEL_PASSWORD: 'hidden\n' }, 'REDIS_SENTINEL_PASSWORD'],
])('refuses %j', (environment, variable) => {
  const made = (): unknown => fromEnvironment(environment);
  expect(made).toThrow(expect.objectContaining({ code: 'ERR_TIERKIT_ENVIRONMENT' }));
  expect(made).toThrow(new RegExp(`  ${variable}: `));
  expect(made).not.toThrow(/hidden/);
});
