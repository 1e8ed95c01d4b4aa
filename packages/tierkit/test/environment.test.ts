import { silentLogger, type Logger } from '@tierkit/core';
import { createRedis, type RedisOptions } from '@tierkit/redis';
import { expect, it } from 'vitest';
import { fromEnvironment } from '../src/environment.ts';

it('turns the variables into options', () => {
  const options = fromEnvironment({
    REDIS_URL: 'redis://localhost:6379',
    REDIS_DB: '2',
    REDIS_PASSWORD: 'pässword',
    REDIS_MAX_CONNECTIONS: '3',
    REDIS_SOCKET_TIMEOUT: '5',
    REDIS_SOCKET_CONNECT_TIMEOUT: '0.5',
    REDIS_HEALTH_CHECK_INTERVAL: '30',
    CACHE_DEFAULT_TIMEOUT: '300',
    CACHE_TTL_SEARCH: '3600',
    CACHE_SESSION_TTL: '60',
    LOG_LEVEL: 'OFF',
  });
  expect(options).toEqual({
    redis: {
      url: 'redis://:p%C3%A4ssword@localhost:6379/2',
      maxConnections: 3,
      commandTimeout: 5_000,
      socketTimeout: 5_000,
      connectTimeout: 500,
      healthCheckInterval: 30_000,
      logger: silentLogger,
    },
    tiers: { search: { ttl: 3_600_000 }, session: { ttl: 60_000 } },
    defaultTtl: 300_000,
    logger: silentLogger,
  });
});

it('leaves a socket open for as long as a command may wait on it', () => {
  const { redis } = fromEnvironment({ REDIS_HOST: 'h', REDIS_SOCKET_TIMEOUT: '100ms' });
  expect(redis).toMatchObject({ commandTimeout: 100, socketTimeout: 1_000 });
});

it('keeps a second server for what must last', () => {
  const options = fromEnvironment({ REDIS_URL: 'redis://durable', CACHE_REDIS_URL: 'redis://cache' });
  expect(options).toMatchObject({ redis: { url: 'redis://cache' }, durableRedis: { url: 'redis://durable' } });
  expect(
    fromEnvironment({ REDIS_URL: 'redis://a', CACHE_REDIS_URL: 'redis://b', CACHE_ENABLED: '0' }),
  ).not.toHaveProperty('durableRedis');
});

it.each([
  [{ CACHE_BACKEND: 'locmem' }, 'memory'],
  [{ CACHE_BACKEND: 'dummy' }, 'null'],
  [{ REDIS_URL: 'redis://h', REDIS_ENABLED: 'false' }, 'null'],
])('%o needs no Redis', (environment, redis) => {
  expect(fromEnvironment(environment)).toMatchObject({ redis });
});

it('gives options that the connection accepts', async () => {
  const environments = [
    { REDIS_URL: 'redis://127.0.0.1:1/15', REDIS_PASSWORD: 'ü%@:/ ' },
    { REDIS_HOST: '::1', REDIS_PORT: '1', REDIS_MAX_CONNECTIONS: '2', REDIS_DB: '3' },
    { CACHE_REDIS_URL: 'rediss://user:pw@127.0.0.1:1', REDIS_SOCKET_TIMEOUT: '600' },
    {
      REDIS_HOST: '127.0.0.1',
      REDIS_PORT: '1',
      REDIS_HEALTH_CHECK_INTERVAL: '600',
      REDIS_SOCKET_CONNECT_TIMEOUT: '1ms',
    },
  ];
  for (const environment of environments) {
    const connection = createRedis(fromEnvironment(environment, { logger: silentLogger }).redis);
    await connection.close();
  }
  const { redis } = fromEnvironment({ REDIS_URL: 'redis://h' });
  expect((redis as RedisOptions).commandTimeout).toBeUndefined();
});

it('LOG_LEVEL filters the given logger, which without it is called for everything', () => {
  const calls: string[] = [];
  const logger: Logger = {
    debug: (_, message) => calls.push(message),
    info: (_, message) => calls.push(message),
    warn: (_, message) => calls.push(message),
    error: (_, message) => calls.push(message),
  };
  const url = { REDIS_URL: 'redis://h' };
  expect(fromEnvironment(url, { logger }).logger).toBe(logger);
  const filtered = fromEnvironment({ ...url, LOG_LEVEL: 'WARNING' }, { logger }).logger;
  filtered?.info({}, 'info');
  filtered?.warn({}, 'warn');
  expect(calls).toEqual(['warn']);
});
