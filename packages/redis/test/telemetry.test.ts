import { tracingChannel } from 'node:diagnostics_channel';
import type { MetricSource, Telemetry } from '@tierkit/core';
import { afterEach, expect, inject, test } from 'vitest';
import { createRedis, defineScript, redisInput, type RedisConnection } from '../src/index.ts';

const opened: RedisConnection[] = [];

afterEach(async () => {
  await Promise.all(opened.splice(0).map((redis) => redis.close()));
});

class Recorder implements Telemetry {
  readonly sources = new Set<MetricSource>();
  readonly commands: string[] = [];

  observe(source: MetricSource): () => void {
    this.sources.add(source);
    return () => this.sources.delete(source);
  }

  durations(_metric: unknown, attributes: Readonly<Record<string, unknown>>): ReturnType<Telemetry['durations']> {
    const { 'db.operation.name': operation, 'db.stored_procedure.name': script } = attributes;
    return {
      record: (seconds, error) => {
        expect(seconds).toBeGreaterThanOrEqual(0);
        this.commands.push([operation, script, error].filter(Boolean).join(' '));
      },
    };
  }

  gauges(): Record<string, number> {
    const values: Record<string, number> = {};
    for (const source of this.sources) source.read(({ name }, value) => (values[name] = value));
    return values;
  }
}

function open(telemetry: Telemetry, url: string = inject('redisUrl')): RedisConnection {
  const redis = createRedis({ url, telemetry, commandTimeout: 2_000 });
  opened.push(redis);
  return redis;
}

const echo = defineScript({
  name: 'test-echo',
  keys: ['key'],
  args: { text: 'string' },
  lua: 'return text',
  reply: (reply) => String(reply),
});

test('each command is told once, by its name, a script by its own, and a failure by its code', async () => {
  const told = new Recorder();
  const redis = open(told);
  await redis.ready();
  await redis.execute((client) => client.get('some:key'), undefined, 'GET');
  await echo.run(redis, { key: 'some:key' }, { text: 'x' });
  await redis.execute((client) => client.call('NO-SUCH'), undefined, 'CALL').catch(() => {});
  await redis.execute((client) => client.ping());
  const scripts = told.commands.filter((command) => command.startsWith('EVALSHA'));
  // The first time the server may not know the script, and is asked twice.
  expect(new Set(scripts.filter((command) => !command.endsWith('ERR_REDIS_REPLY')))).toEqual(
    new Set(['EVALSHA test-echo']),
  );
  expect(told.commands.filter((command) => !command.startsWith('EVALSHA'))).toEqual([
    'GET',
    'CALL ERR_REDIS_REPLY',
    '',
  ]);
});

test('while somebody has the commands from ioredis itself, they are not told a second time', async () => {
  const told = new Recorder();
  const redis = open(told);
  await redis.ready();
  const heard: unknown[] = [];
  const subscribers = {
    start: (message: { command?: unknown }) => void heard.push(message.command),
    end() {},
    asyncStart() {},
    asyncEnd() {},
    error() {},
  };
  const channel = tracingChannel<unknown, { command?: unknown }>('ioredis:command');
  channel.subscribe(subscribers);
  try {
    await redis.execute((client) => client.get('some:key'), undefined, 'GET');
  } finally {
    channel.unsubscribe(subscribers);
  }
  expect(heard).toContain('get');
  expect(told.commands).toEqual([]);
  await redis.execute((client) => client.get('some:key'), undefined, 'GET');
  expect(told.commands).toEqual(['GET']);
});

test('gauges tell whether the connection can be used, until it is closed', async () => {
  const told = new Recorder();
  const redis = open(told);
  await redis.ready();
  expect(told.gauges()).toEqual({ 'tierkit.redis.unavailable': 0, 'tierkit.redis.breaker_open': 0 });
  await redis.close();
  expect(told.sources.size).toBe(0);

  const away = open(told, 'redis://127.0.0.1:1');
  for (let i = 0; i < 5; i++) await away.execute((client) => client.ping()).catch(() => {});
  expect(told.gauges()).toEqual({ 'tierkit.redis.unavailable': 1, 'tierkit.redis.breaker_open': 1 });
});

test('a telemetry that refuses a connection is heard, and nothing stays open', () => {
  const refusing: Telemetry = {
    observe() {
      throw new Error('taken');
    },
    durations: () => ({ record() {} }),
  };
  expect(() => open(refusing)).toThrow('taken');
});

test('an input gets a logger and telemetry unless it has its own', () => {
  const telemetry = new Recorder();
  const own = new Recorder();
  expect(redisInput('redis://h', { telemetry })).toEqual({ url: 'redis://h', telemetry });
  expect(redisInput('redis://h', {})).toBe('redis://h');
  expect(redisInput({ host: 'h' }, { telemetry })).toEqual({ host: 'h', telemetry });
  expect(redisInput({ host: 'h', telemetry: own }, { telemetry })).toEqual({ host: 'h', telemetry: own });
});
