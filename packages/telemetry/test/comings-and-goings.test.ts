import { randomUUID } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createTiers, type Tiers } from '@tierkit/cache';
import { systemClock, type MetricDefinition } from '@tierkit/core';
import { Registry } from 'prom-client';
import { afterEach, expect, inject, test } from 'vitest';
import { DurationProducer, openTelemetry } from '../src/opentelemetry/index.ts';
import { prometheus } from '../src/prometheus/index.ts';
import { CollectedMetrics } from './support/collected.ts';

const opened: { close(): Promise<void> }[] = [];

afterEach(async () => {
  await Promise.all(opened.splice(0).map((part) => part.close()));
});

function open(telemetry: ReturnType<typeof openTelemetry>): Tiers {
  const tiers = createTiers({ redis: 'memory', telemetry });
  opened.push(tiers);
  return tiers;
}

function collected(): CollectedMetrics {
  const metrics = new CollectedMetrics();
  opened.push(metrics);
  return metrics;
}

/** The value of one line of the exposition. */
async function exposed(registry: Registry, line: string): Promise<number | undefined> {
  const found = (await registry.metrics()).split('\n').find((text) => text.startsWith(`${line} `));
  return found === undefined ? undefined : Number(found.slice(line.length + 1));
}

const gauge: MetricDefinition = {
  name: 'test.backlog',
  kind: 'gauge',
  unit: '{key}',
  description: 'Pending keys of a whole queue, which every process knows',
  attributes: ['queue'],
  merge: 'max',
};

const duration: MetricDefinition = {
  name: 'test.duration',
  kind: 'duration',
  unit: 's',
  description: 'A test',
  attributes: ['tier'],
  bounds: [1],
};

const MISSES = 'tierkit_cache_reads_total{tier="global",result="miss"}';
const ENTRIES = 'tierkit_cache_l1_entries{tier="global"}';

// To whoever takes rates, a counter that goes down has begun anew: what is left would count once more.
test('a counter does not go down while parts come and go; what there is now does', async () => {
  const registry = new Registry();
  const metrics = collected();
  const telemetry = [prometheus({ registry }), openTelemetry({ meterProvider: metrics.meterProvider })] as const;
  const make = (): Tiers => createTiers({ redis: 'memory', telemetry });
  const stays = make();
  opened.push(stays);
  await stays.global.get('a');
  await stays.global.set('b', 1);
  for (let n = 2; n <= 4; n++) {
    const leaves = make();
    await leaves.global.get('a');
    await leaves.global.set('b', 1);
    expect(await exposed(registry, ENTRIES)).toBe(2);
    await leaves.close();
    expect(await exposed(registry, MISSES)).toBe(n);
    expect(await exposed(registry, ENTRIES)).toBe(1);
    const all = await metrics.collect();
    expect(all['tierkit.cache.reads']?.['tierkit.result=miss,tierkit.tier=global']).toBe(n);
    expect(all['tierkit.cache.l1.entries']).toEqual({ 'tierkit.tier=global': 1 });
  }
});

/** Bytes that are in use once nothing is left to be collected. */
function bytesInUse(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  return process.memoryUsage().heapUsed;
}

test('parts that are made and closed again and again leave nothing behind', async () => {
  const registry = new Registry();
  const metrics = collected();
  const telemetry = [openTelemetry({ meterProvider: metrics.meterProvider }), prometheus({ registry })];
  for (let i = 0; i < 20; i++) {
    const tiers = createTiers({ redis: 'memory', telemetry });
    await tiers
      .project('p')
      .countedAs('reports')
      .getOrSet('a', () => 1);
    await tiers.close();
  }
  expect(metrics.callbacks).toBe(0);
  expect(registry.getMetricsAsArray()).toEqual([]);

  // The same without the caches, whose own memory is more.
  const comeAndGo = (times: number): void => {
    for (let i = 0; i < times; i++) {
      for (const each of telemetry) {
        const end = each.observe({ metrics: [gauge], read() {} });
        each.durations(duration, { tier: 'a' }).record(0.001);
        end();
      }
    }
  };
  comeAndGo(1_000);
  // What else this process does may take memory in one round; what is left behind takes it in each.
  const grown = [1, 2, 3].map(() => {
    const before = bytesInUse();
    comeAndGo(5_000);
    return (bytesInUse() - before) / 5_000;
  });
  expect(Math.min(...grown)).toBeLessThan(50);
});

test('a registry that was cleared has the metrics again when the next part is made', async () => {
  const registry = new Registry();
  const telemetry = prometheus({ registry });
  const one = open(telemetry);
  await one.global.get('a');
  registry.clear();
  expect(await registry.metrics()).toBe('\n');
  await open(telemetry).global.get('a');
  expect(await exposed(registry, MISSES)).toBe(2);
  expect(await exposed(registry, 'tierkit_cache_operation_duration_seconds_count{tier="global",operation="get"}')).toBe(
    2,
  );
});

test('after a registry was cleared and given to another, its metrics stay the other ones', async () => {
  const registry = new Registry();
  const [first, second] = [prometheus({ registry }), prometheus({ registry })];
  const one = open(first);
  registry.clear();
  await open(second).global.get('a');
  expect(() => open(first)).toThrow(expect.objectContaining({ code: 'ERR_TELEMETRY_REGISTRY' }));
  await one.close();
  expect(await exposed(registry, MISSES)).toBe(1);
});

test('a scrape while caches are closed and made has whole lines only', async () => {
  const registry = new Registry();
  const telemetry = prometheus({ registry });
  const stays = open(telemetry);
  await stays.global.get('a');
  for (let i = 0; i < 20; i++) {
    const tiers = open(telemetry);
    await tiers.global.get('a');
    const [text] = await Promise.all([registry.metrics(), tiers.close(), registry.metrics()]);
    expect(text.split('\n').filter((line) => line.startsWith(MISSES))).toEqual([`${MISSES} ${i + 2}`]);
  }
});

test('what a cache flushes while it closes is counted, and a lag is never below zero', async () => {
  const metrics = collected();
  const telemetry = openTelemetry({ meterProvider: metrics.meterProvider });
  open(telemetry);
  // Redis's clock, by which writes are noted, is ahead of it.
  const clock = { ...systemClock, now: () => systemClock.now() - 3_600_000 };
  const redis = { url: inject('redisUrl'), commandTimeout: 5_000 };
  const tiers = createTiers({ redis, prefix: `${randomUUID()}:`, telemetry, clock });
  opened.push(tiers);
  await tiers.ready();
  const queue = tiers.writeBehind('reports', { flush() {}, batch: { age: '1h', size: 1_000 }, drainTimeout: '20s' });
  await tiers.session('one').writeBehind('a', 1, queue);
  const lag = async (): Promise<number | undefined> =>
    (await metrics.collect())['tierkit.write_behind.lag']?.['tierkit.queue=reports'];
  expect(await lag()).toBe(0);
  await queue.drain();
  expect(await lag()).toBe(0);
  await tiers.session('one').writeBehind('b', 1, queue);
  await tiers.close();
  expect((await metrics.collect())['tierkit.write_behind.flushed']).toEqual({ 'tierkit.queue=reports': 2 });
});

test('of a number that several parts know alike, the largest is told, among processes as well', async () => {
  const registry = new Registry();
  const metrics = collected();
  for (const telemetry of [prometheus({ registry }), openTelemetry({ meterProvider: metrics.meterProvider })]) {
    for (const value of [3, 7, 5]) {
      telemetry.observe({ metrics: [gauge], read: (observe) => observe(gauge, value, { queue: 'q' }) });
    }
  }
  expect(await exposed(registry, 'test_backlog{queue="q"}')).toBe(7);
  expect((await metrics.collect())['test.backlog']).toEqual({ 'tierkit.queue=q': 7 });
  const [json] = await registry.getMetricsAsJSON();
  expect(json?.aggregator).toBe('max');
});

test('a number that is none spoils no series', async () => {
  const registry = new Registry();
  const metrics = collected();
  const counter: MetricDefinition = { ...gauge, name: 'test.counted', kind: 'counter', merge: 'sum' };
  for (const telemetry of [prometheus({ registry }), openTelemetry({ meterProvider: metrics.meterProvider })]) {
    for (const value of [Number.NaN, 5, Infinity, 2]) {
      telemetry.observe({ metrics: [counter], read: (observe) => observe(counter, value, { queue: 'q' }) });
    }
  }
  expect(await exposed(registry, 'test_counted_total{queue="q"}')).toBe(7);
  expect((await metrics.collect())['test.counted']).toEqual({ 'tierkit.queue=q': 7 });
});

test('a duration that is none spoils no sum', async () => {
  const registry = new Registry();
  const durations = new DurationProducer();
  const prom = prometheus({ registry });
  prom.observe({ metrics: [], read() {} });
  const otel = openTelemetry({ durations });
  for (const telemetry of [prom, otel]) {
    const series = telemetry.durations(duration, { tier: 'a' });
    for (const seconds of [Number.NaN, -1, Infinity, -Infinity, 0.5, 0]) series.record(seconds);
  }
  expect(await exposed(registry, 'test_duration_seconds_sum{tier="a"}')).toBe(0.5);
  expect(await exposed(registry, 'test_duration_seconds_count{tier="a"}')).toBe(2);
  const { resourceMetrics } = await durations.collect();
  expect(resourceMetrics.scopeMetrics[0]?.metrics[0]?.dataPoints[0]?.value).toMatchObject({ sum: 0.5, count: 2 });
});
