import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { Redis } from 'ioredis';
import { ask, startRedis, type StandaloneRedis } from '../servers/index.ts';

interface Service {
  readonly image: string;
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly ports: readonly string[];
  readonly volumes: readonly string[];
  readonly healthcheck: { readonly test: readonly string[] };
}

const root = new URL('../..', import.meta.url).pathname;
const compose = parse(readFileSync(join(root, 'docker-compose.yml'), 'utf8'), { merge: true }) as {
  readonly services: Readonly<Record<'cache' | 'durable', Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
};
const { cache, durable } = compose.services;
const services = Object.entries(compose.services);

/** What Compose makes of `${NAME:-default}`. */
const filledIn = (text: string, env: Readonly<Record<string, string>> = {}): string =>
  text.replaceAll(/\$\{(\w+):-([^}]*)\}/g, (_, name: string, otherwise: string) => env[name] || otherwise);

describe.each(services)('%s', (name, service) => {
  it('is Redis 7', () => {
    expect(service.image).toBe('redis:7-alpine');
  });

  it('listens on the loopback address only', () => {
    expect(service.ports.map((port) => filledIn(port))).toEqual([expect.stringMatching(/^127\.0\.0\.1:\d+:6379$/)]);
  });

  it('keeps its data in a volume of its own', () => {
    expect(service.volumes).toEqual([`${name}:/data`]);
    expect(Object.keys(compose.volumes)).toContain(name);
  });

  it('is healthy when it answers somebody who knows the password', () => {
    expect(service.healthcheck.test).toEqual(['CMD-SHELL', expect.stringMatching(/^redis-cli ping \|.*PONG/)]);
    expect(service.environment['REDISCLI_AUTH']).toBe(service.command[service.command.indexOf('--requirepass') + 1]);
    expect(filledIn(service.environment['REDISCLI_AUTH'] ?? '', { REDIS_PASSWORD: 'secret' })).toBe('secret');
  });

  it('has no password in the file but the documented one', () => {
    expect(service.environment['REDISCLI_AUTH']).toBe('${REDIS_PASSWORD:-development}');
    expect(service.command.filter((part) => part.includes('PASSWORD'))).toHaveLength(1);
  });
});

it('both can run beside each other', () => {
  expect(filledIn(cache.ports[0] ?? '')).not.toBe(filledIn(durable.ports[0] ?? ''));
});

const expected = {
  cache: { maxmemory: '268435456', 'maxmemory-policy': 'allkeys-lru', save: '60 1', appendonly: 'no' },
  durable: { maxmemory: '268435456', 'maxmemory-policy': 'noeviction', appendonly: 'yes', appendfsync: 'everysec' },
};

describe.each(services)('a redis-server with the arguments of %s', (name, service) => {
  const password = 'pass word#$1';
  let server: StandaloneRedis;
  let redis: Redis;

  beforeAll(async () => {
    const [binary, ...args] = service.command.map((part) => filledIn(part, { REDIS_PASSWORD: password }));
    expect(binary).toBe('redis-server');
    server = await startRedis(args);
    redis = new Redis({ port: server.port, password, protocol: 2, lazyConnect: true, retryStrategy: () => null });
    await redis.connect();
  });

  afterAll(async () => {
    redis.disconnect();
    await server.stop();
  });

  it('takes the password and refuses to do without', async () => {
    expect(await redis.ping()).toBe('PONG');
    await expect(ask(server.port, 'GET', 'key')).rejects.toThrow('NOAUTH');
  });

  it('limits and persists as it should', async () => {
    const settings = expected[name as keyof typeof expected];
    for (const [setting, value] of Object.entries(settings)) {
      expect(await redis.config('GET', setting)).toEqual([setting, value]);
    }
  });
});
