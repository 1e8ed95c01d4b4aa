import { randomUUID } from 'node:crypto';
import { context, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { BasicTracerProvider, type SpanProcessor } from '@opentelemetry/sdk-trace-base';
import { createBus, durable, ephemeral } from '@tierkit/bus';
import { createTiers, type Tiers } from '@tierkit/cache';
import type { Logger, Telemetry } from '@tierkit/core';
import { createLocks } from '@tierkit/lock';
import { createRedis } from '@tierkit/redis';
import { Registry } from 'prom-client';
import { afterAll, afterEach, beforeAll, expect, inject, test, vi } from 'vitest';
import { sharedRedis } from '../../../test/support/shared-redis.ts';
import { openTelemetry } from '../src/opentelemetry/index.ts';
import { prometheus } from '../src/prometheus/index.ts';

const mine = new Error('of the one who listens');
const throwing = (): never => {
  throw mine;
};
const rejecting = (): never => Promise.reject(mine) as never;
const loose: unknown[] = [];
const note = (reason: unknown): void => void loose.push(reason);
const opened: { close(): Promise<void> }[] = [];

beforeAll(() => {
  process.on('unhandledRejection', note);
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
});

afterEach(async () => {
  await Promise.all(opened.splice(0).map((part) => part.close()));
  // Rejections to nobody are told of once the turn that made them has ended.
  await new Promise((resolve) => setImmediate(resolve));
  expect(loose.splice(0)).toEqual([]);
});

afterAll(() => {
  process.off('unhandledRejection', note);
  context.disable();
});

/** Everything that a cache is asked for, with the results that it has when nobody listens. */
async function useAll(tiers: Tiers): Promise<void> {
  const project = tiers.project('p');
  let loads = 0;
  expect(await project.set('a', 1)).toBe(true);
  expect([await project.get('a'), await project.get('a'), await project.get('none')]).toEqual([1, 1, undefined]);
  expect(await project.getOrSet('b', async () => ++loads)).toBe(1);
  expect(await project.getOrSetMany(['c', 'd'], async (keys) => keys.map(() => ++loads))).toEqual([2, 3]);
  expect(await project.getMany(['a', 'b'])).toEqual([1, 1]);
  await expect(project.getOrSet('e', () => Promise.reject(new RangeError('x')))).rejects.toThrow(RangeError);
  expect(await project.writeThrough('f', 1, async () => 'kept')).toMatchObject({ saved: 'kept', stored: true });
  expect(await project.delete('a')).toBe(true);
  expect(await project.deleteByPattern('x*')).toEqual({ deleted: 0, confirmed: true });
  expect(await project.invalidateTags(['t'])).toBe(true);
  expect(await project.clear()).toBe(true);
  expect(loads).toBe(3);
}

/** With `traced`, it asks to run spans. */
function misbehaving(fail: () => never): Telemetry {
  return {
    observe: () => fail,
    durations: () => ({ record: fail }),
    spans: { active: () => true, run: fail },
    noteError: fail,
    traceHeaders: fail,
    withTrace: fail,
  };
}

const whole: Telemetry = {
  observe: () => () => {},
  durations: () => ({ record() {} }),
  spans: { active: () => true, run: (_span, work) => work() },
};

const telemetries: readonly (readonly [string, Telemetry | readonly Telemetry[]])[] = [
  ['throws', misbehaving(throwing)],
  ['rejects', misbehaving(rejecting)],
  ['throws beside another', [whole, misbehaving(throwing), whole]],
  ['throws before it gives anything', { ...misbehaving(throwing), durations: throwing, spans: undefined }],
  ['does not know whether it traces', { ...misbehaving(throwing), spans: { active: throwing, run: throwing } }],
  [
    'runs the work and then throws',
    { ...whole, spans: { active: () => true, run: (_, work) => (void work(), throwing()) } },
  ],
  [
    'runs the work late and loses its result',
    {
      ...whole,
      spans: {
        active: () => true,
        async run(_span, work) {
          await Promise.resolve();
          await work().catch(() => {});
          return throwing();
        },
      },
    },
  ],
];

test.each(telemetries)('a telemetry that %s disturbs no call of a cache', async (_how, telemetry) => {
  const tiers = createTiers({ redis: 'memory', telemetry });
  opened.push(tiers);
  await useAll(tiers);
  await tiers.close();
});

const loggerOf = (log: Logger['debug']): Logger => ({ debug: log, info: log, warn: log, error: log });

test.each([
  ['throws', throwing],
  ['rejects', rejecting],
])('a logger that %s disturbs no call of a cache, also where Redis is away', async (_how, log) => {
  const options = { logger: loggerOf(log), logging: { accesses: true } };
  const tiers = createTiers({ redis: 'memory', ...options });
  opened.push(tiers);
  await useAll(tiers);
  const away = createTiers({ redis: { host: '127.0.0.1', port: 1, connectTimeout: 50 }, ...options });
  opened.push(away);
  expect(await away.global.get('a')).toBeUndefined();
  expect(await away.global.set('a', 1)).toBe(false);
  expect(await away.global.getOrSet('a', () => 2)).toBe(2);
});

test.each([
  ['throws', throwing],
  ['rejects', rejecting],
])('a bus and locks work with a telemetry and a logger that %s', async (_how, fail) => {
  const told = { telemetry: misbehaving(fail), logger: loggerOf(fail) };
  const channels = { a: ephemeral<number>(), b: durable<number>() };
  const bus = createBus(channels, { redis: 'memory', ...told });
  const locks = createLocks({ redis: 'memory', ...told });
  opened.push(bus, locks);
  const heard: number[] = [];
  await bus.on('a', ({ data }) => {
    heard.push(data);
    if (data === 1) throw new Error('mine');
  }).ready;
  await bus.publish('a', 1, { traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01` });
  await bus.publish('a', 2);
  await vi.waitFor(() => expect(heard).toEqual([1, 2]), { timeout: 10_000 });
  await (await locks.acquire('x')).release();
});

test.each([
  ['throws', throwing],
  ['rejects', rejecting],
])('a listener that %s disturbs nobody, and the log tells of it', async (_how, fail) => {
  const said: string[] = [];
  const logger = loggerOf((_details, message) => void said.push(message));
  const redis = createRedis({ url: inject('redisUrl'), logger });
  opened.push(redis);
  redis.onStateChange(fail);
  const tiers = createTiers({ redis: 'memory', logger });
  opened.push(tiers);
  tiers.inspection.onChange(fail);
  expect(await tiers.global.set('a', 1)).toBe(true);
  expect(await tiers.global.deleteByPattern('*', { onProgress: fail })).toEqual({ deleted: 1, confirmed: true });
  const bus = createBus({ a: ephemeral<number>() }, { redis: 'memory', logger });
  opened.push(bus);
  const lagging = bus.subscribe('a', { maxQueue: 1, onGap: fail });
  await lagging.ready;
  for (let n = 1; n <= 3; n++) await bus.publish('a', n);
  const [last] = await Promise.all([lagging[Symbol.asyncIterator]().next(), redis.ready()]);
  expect(last.done).toBe(false);
  const told = [
    'a listener to changes of the cache failed',
    'a listener to the progress of a deletion failed',
    'onGap of a subscription threw',
    'A listener for the state of Redis threw',
  ];
  await vi.waitFor(() => expect(told.filter((message) => !said.includes(message))).toEqual([]), { timeout: 10_000 });
});

test('a span processor of the user that throws disturbs no call', async () => {
  const processor: SpanProcessor = {
    onStart: throwing,
    onEnd: throwing,
    forceFlush: async () => {},
    shutdown: async () => {},
  };
  const tracerProvider = new BasicTracerProvider({ spanProcessors: [processor] });
  const quiet = new BasicTracerProvider().getTracer('request');
  const tiers = createTiers({ redis: 'memory', telemetry: openTelemetry({ tracerProvider, metrics: false }) });
  opened.push(tiers);
  await context.with(trace.setSpan(context.active(), quiet.startSpan('request')), () => useAll(tiers));
});

test('a source that cannot be read takes no other numbers along', async () => {
  const registry = new Registry();
  const telemetry = prometheus({ registry });
  const metric = { name: 'mine', kind: 'gauge', unit: '1', description: 'Mine', attributes: [] } as const;
  const end = telemetry.observe({ metrics: [metric], read: throwing });
  const tiers = createTiers({ redis: 'memory', telemetry });
  opened.push(tiers);
  await tiers.global.get('a');
  expect(await registry.metrics()).toContain('tierkit_cache_reads_total{tier="global",result="miss"} 1');
  end();
});

test('where the second of two telemetries refuses, the first is told of the end, and nothing stays registered', () => {
  const [one, two] = [new Registry(), new Registry()];
  const taken = createTiers({ redis: 'memory', telemetry: prometheus({ registry: two }) });
  opened.push(taken);
  const telemetry = [prometheus({ registry: one }), prometheus({ registry: two })];
  const refused = expect.objectContaining({ code: 'ERR_TELEMETRY_REGISTRY' }) as Error;
  expect(() => createTiers({ redis: 'memory', telemetry })).toThrow(refused);
  expect(() => createTiers({ redis: sharedRedis(), prefix: `${randomUUID()}:`, telemetry })).toThrow(refused);
  expect(one.getMetricsAsArray()).toEqual([]);
});

test('a telemetry that is given twice counts once', async () => {
  const registry = new Registry();
  const telemetry = prometheus({ registry });
  const tiers = createTiers({ redis: 'memory', telemetry: [telemetry, telemetry] });
  opened.push(tiers);
  await tiers.global.get('a');
  const text = await registry.metrics();
  expect(text).toContain('tierkit_cache_reads_total{tier="global",result="miss"} 1\n');
  expect(text).toContain('tierkit_cache_operation_duration_seconds_count{tier="global",operation="get"} 1\n');
});
