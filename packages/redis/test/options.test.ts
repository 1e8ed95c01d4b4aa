import { inspect } from 'node:util';
import { TierkitError } from '@tierkit/core';
import { Cluster, Redis } from 'ioredis';
import { describe, expect, test } from 'vitest';
import { createRedis, type RedisInput } from '../src/index.ts';
import { resolveOptions } from '../src/resolve-options.ts';

const canary = 'c4n4ry!/@ %';
const encoded = encodeURIComponent(canary);

function refusal(input: unknown): TierkitError {
  try {
    createRedis(input as RedisInput);
  } catch (error) {
    if (error instanceof TierkitError) return error;
    throw error;
  }
  throw new Error(`accepted ${inspect(input)}`);
}

describe('a URL', () => {
  test('gives host, port, database, user and password', () => {
    expect(resolveOptions(`rediss://me:${encoded}@example.org:6380/3`)).toMatchObject({
      topology: 'standalone',
      addresses: [{ host: 'example.org', port: 6380 }],
      db: 3,
      username: 'me',
      password: canary,
      tls: {},
    });
  });

  test('may leave out everything but the protocol', () => {
    expect(resolveOptions('redis://')).toMatchObject({
      addresses: [{ host: 'localhost', port: 6379 }],
      db: 0,
      tls: undefined,
    });
    expect(resolveOptions('redis://[::1]:7000')).toMatchObject({ addresses: [{ host: '::1', port: 7000 }] });
  });

  test('yields to options', () => {
    const options = resolveOptions({ url: 'redis://a:b@localhost/1', db: 2, password: 'other', username: undefined });
    expect(options).toMatchObject({ db: 2, username: 'a', password: 'other' });
  });
});

test('the defaults bound every wait', () => {
  expect(resolveOptions('redis://localhost')).toMatchObject({
    maxConnections: 1,
    commandTimeoutMs: 300,
    connectTimeoutMs: 1_000,
    socketTimeoutMs: 1_000,
    healthCheckIntervalMs: 10_000,
    breakerFailures: 5,
    breakerResetAfterMs: 1_000,
  });
});

test('Cluster nodes and Sentinels may be strings, URLs and addresses', () => {
  expect(
    resolveOptions({ cluster: ['a', 'b:7001', { host: 'c', port: 7002 }, `redis://:${encoded}@d:7003`] }),
  ).toMatchObject({
    topology: 'cluster',
    addresses: [
      { host: 'a', port: 6379 },
      { host: 'b', port: 7001 },
      { host: 'c', port: 7002 },
      { host: 'd', port: 7003 },
    ],
    password: canary,
  });
  expect(resolveOptions({ sentinels: ['a', '[::1]:7001'], name: 'main' })).toMatchObject({
    topology: 'sentinel',
    name: 'main',
    addresses: [
      { host: 'a', port: 26_379 },
      { host: '::1', port: 7001 },
    ],
  });
});

test.each([
  [undefined, 'is needed'],
  [42, 'is needed'],
  ['', 'must be a URL'],
  ['localhost:6379', 'must be a URL'],
  ['redis:6379', 'must be a URL'],
  ['http://localhost', 'must be a URL'],
  ['redis://localhost/zero', 'database number'],
  ['redis://localhost?db=1', 'query'],
  [{}, 'exactly one of'],
  [{ url: 'redis://a', host: 'b' }, 'url and host'],
  [{ url: 'redis://a', port: 1 }, 'port goes with host'],
  [{ host: '' }, 'host must be an address'],
  [{ host: 'a', port: 0 }, 'port must be'],
  [{ host: 'a', port: 65_536 }, 'port must be'],
  [{ host: 'a', db: -1 }, 'db must be'],
  [{ host: 'a', db: 1.5 }, 'db must be'],
  [{ host: 'a', name: 'main' }, 'name needs sentinels'],
  [{ host: 'a', username: 'u' }, 'username needs a password'],
  [{ host: 'a', maxConnections: 0 }, 'maxConnections must be'],
  [{ host: 'a', commandTimeout: '5' }, 'commandTimeout'],
  [{ host: 'a', connectTimeout: -1 }, 'connectTimeout'],
  [{ host: 'a', breaker: { failures: 0 } }, 'breaker.failures'],
  [{ host: 'a', breaker: { resetAfter: Number.NaN } }, 'breaker.resetAfter'],
  [{ host: 'a', tls: 'yes' }, 'tls must be'],
  [{ url: 'rediss://a', tls: false }, 'tls is false'],
  [{ host: 'a', keyPrefix: 'x' }, 'keyPrefix is not an option'],
  [{ cluster: [] }, 'at least one address'],
  [{ cluster: ['a:b'] }, 'cluster[0] must be an address'],
  [{ cluster: ['a'], db: 1 }, 'Cluster has no other'],
  [{ sentinels: ['a'] }, 'name of the master'],
  [{ client: 'redis://a' }, 'client must be an ioredis client'],
  [{ client: {}, db: 1 }, 'db is up to the client'],
])('refuses %j', (input, message) => {
  const error = refusal(input);
  expect(error.code).toBe('ERR_REDIS_OPTIONS');
  expect(error.message).toContain(message);
});

test('one error names every fault and no secret', () => {
  const error = refusal({
    url: `redis://u:${encoded}@h ost/0`,
    db: 'one',
    password: 7,
    commandTimeout: 'soon',
    nme: canary,
  });
  expect(error.details['faults']).toHaveLength(5);
  for (const shown of [inspect(error, { depth: 9 }), error.stack, JSON.stringify(error)]) {
    expect(shown).not.toContain(canary);
    expect(shown).not.toContain(encoded);
  }
});

test.each([
  ['keyPrefix', () => new Redis({ lazyConnect: true, keyPrefix: 'a:' })],
  ['stringNumbers', () => new Redis({ lazyConnect: true, stringNumbers: true })],
  ['monitoring', () => new Redis({ lazyConnect: true, monitor: true })],
  ['replica', () => new Redis({ lazyConnect: true, sentinels: [{ host: 'a' }], name: 'm', role: 'slave' })],
  ['scaleReads', () => new Cluster([{ host: 'a' }], { lazyConnect: true, scaleReads: 'slave' })],
  ['keyPrefix', () => new Cluster([{ host: 'a' }], { lazyConnect: true, redisOptions: { keyPrefix: 'a:' } })],
  ['enableAutoPipelining', () => new Cluster([{ host: 'a' }], { lazyConnect: true, enableAutoPipelining: true })],
])('refuses an ioredis client with %s', (message, make) => {
  expect(refusal(make()).message).toContain(message);
});
