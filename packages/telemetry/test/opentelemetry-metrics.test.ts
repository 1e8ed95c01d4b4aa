import { randomUUID } from 'node:crypto';
import { createTiers, type Tiers } from '@tierkit/cache';
import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { openTelemetry } from '../src/opentelemetry/index.ts';
import { CollectedMetrics } from './support/collected.ts';

let metrics: CollectedMetrics;
const opened: Tiers[] = [];

beforeEach(() => {
  metrics = new CollectedMetrics();
});

afterEach(async () => {
  await Promise.all(opened.splice(0).map((tiers) => tiers.close()));
  await metrics.close();
});

function open(options: Partial<Parameters<typeof createTiers>[0]> = {}): Tiers {
  const telemetry = openTelemetry({ meterProvider: metrics.meterProvider });
  const tiers = createTiers({ redis: 'memory', telemetry, ...options });
  opened.push(tiers);
  return tiers;
}

test('counters are those of the statistics, by tier, name and result', async () => {
  const tiers = open();
  const project = tiers.project('p1');
  await project.set('a', 1);
  await project.get('a');
  await project.get('a');
  await project.get('missing');
  await project.delete('a');
  const user = project.define({ name: 'user', ttl: '1m', key: (id: string) => ['user', id], load: async () => 'Ann' });
  await Promise.all([user.get('1'), user.get('1'), user.get('1')]);
  await user.get('1');
  await expect(project.getOrSet('broken', () => Promise.reject(new Error('no')))).rejects.toThrow('no');

  const all = await metrics.collect();
  expect(all['tierkit.cache.reads']).toMatchObject({
    'tierkit.result=l1_hit,tierkit.tier=project': 2,
    'tierkit.result=miss,tierkit.tier=project': 2,
    'tierkit.name=user,tierkit.result=miss,tierkit.tier=project': 1,
    'tierkit.name=user,tierkit.result=shared,tierkit.tier=project': 2,
    'tierkit.name=user,tierkit.result=l1_hit,tierkit.tier=project': 1,
  });
  expect(all['tierkit.cache.writes']).toMatchObject({ 'tierkit.tier=project': 1 });
  expect(all['tierkit.cache.deletes']).toMatchObject({ 'tierkit.tier=project': 1 });
  expect(all['tierkit.cache.loads']).toMatchObject({
    'tierkit.tier=project': 1,
    'tierkit.name=user,tierkit.tier=project': 1,
  });
  expect(all['tierkit.cache.load_errors']).toMatchObject({
    'tierkit.tier=project': 1,
    'tierkit.name=user,tierkit.tier=project': 0,
  });
  expect(all['tierkit.cache.l1.entries']).toMatchObject({ 'tierkit.tier=project': 1 });
  expect(all['tierkit.cache.l1.size']).toMatchObject({
    'tierkit.tier=project': tiers.stats().tiers['project']?.l1.bytes,
  });
  expect(all['tierkit.cache.incoherent']).toEqual({ '': 0 });
});

test('each operation that the first level cannot answer is timed once, and hits in process are not', async () => {
  const global = open().global;
  await global.set('a', 1);
  for (let i = 0; i < 5; i++) await global.get('a');
  await global.get('b');
  await global.getMany(['a', 'b', 'c']);
  await global.getOrSet('d', () => 4);
  await global.getOrSetMany(['e', 'f', 'a'], (keys) => keys.map(() => 5));
  await global.getOrSetMany(['e', 'f'], () => []);
  await global.writeThrough('g', 6, async () => {});
  await global.invalidateTags(['t']);
  await global.deleteByPattern('x*');
  await global.deleteMany(['a', 'b']);
  await global.clear();
  await expect(global.getOrSet('bad', () => Promise.reject(new RangeError('secret')))).rejects.toThrow('secret');

  const durations = (await metrics.collect())['tierkit.cache.operation.duration'];
  const of = (operation: string): string => `tierkit.operation=${operation},tierkit.tier=global`;
  expect(durations).toEqual({
    [of('set')]: 1,
    [of('get')]: 1,
    [of('get_many')]: 1,
    [of('get_or_set')]: 1,
    [of('load')]: 2,
    [of('get_or_set_many')]: 1,
    [of('write_through')]: 1,
    [of('invalidate_tags')]: 1,
    [of('delete_by_pattern')]: 1,
    [of('delete')]: 1,
    [of('clear')]: 1,
    [`error.type=RangeError,${of('get_or_set')}`]: 1,
    [`error.type=RangeError,${of('load')}`]: 1,
  });
});

test('Redis commands are timed under the stable name, scripts by theirs', async () => {
  const url = new URL(inject('redisUrl'));
  const telemetry = openTelemetry({ meterProvider: metrics.meterProvider, redisCommands: true });
  const tiers = open({ redis: url.href, prefix: `${randomUUID()}:`, l1: false, reclaim: false, telemetry });
  await tiers.ready();
  const before = (await metrics.collect())['db.client.operation.duration'] ?? {};
  await tiers.project('p').set('a', 1);
  await tiers.project('p').get('a');
  await tiers.project('p').get('a');
  const after = (await metrics.collect())['db.client.operation.duration'] ?? {};
  const server = `db.system.name=redis,server.address=${url.hostname},server.port=${url.port}`;
  const db = `db.namespace=${url.pathname.slice(1) || '0'}`;
  const more = (name: string): number => (after[name] ?? 0) - (before[name] ?? 0);
  // The first read asks for the scope's generation as well.
  expect(more(`${db},db.operation.name=MGET,${server}`)).toBe(1);
  expect(more(`${db},db.operation.name=GET,${server}`)).toBe(1);
  expect(more(`${db},db.operation.name=EVALSHA,db.stored_procedure.name=cache-write-entry,${server}`)).toBe(1);
});

test('Redis commands are timed on request only, and with metrics off nothing is made', async () => {
  const quiet = open({ telemetry: openTelemetry({ meterProvider: metrics.meterProvider, metrics: false }) });
  await quiet.global.get('a');
  expect(await metrics.collect()).toEqual({});
  const redis = inject('redisUrl');
  const telemetry = openTelemetry({ meterProvider: metrics.meterProvider });
  const tiers = open({ redis, prefix: `${randomUUID()}:`, telemetry });
  await tiers.ready();
  await tiers.global.get('a');
  const all = await metrics.collect();
  expect(all['tierkit.cache.operation.duration']).toEqual({ 'tierkit.operation=get,tierkit.tier=global': 1 });
  expect(Object.keys(all).filter((name) => name.startsWith('db.'))).toEqual([]);
  // Where they cost next to nothing, they are.
  const cheap = openTelemetry({ meterProvider: metrics.meterProvider, durations: metrics.durations });
  const more = open({ redis, prefix: `${randomUUID()}:`, telemetry: cheap });
  await more.ready();
  await more.global.get('a');
  expect(Object.keys(await metrics.collect())).toContain('db.client.operation.duration');
});

test('two caches with one telemetry are added up; what one counted stays until the last leaves with the callback', async () => {
  const telemetry = openTelemetry({ meterProvider: metrics.meterProvider });
  const [one, two] = [open({ telemetry }), open({ telemetry })];
  await one.global.get('a');
  await two.global.get('a');
  const misses = 'tierkit.result=miss,tierkit.tier=global';
  expect((await metrics.collect())['tierkit.cache.reads']).toMatchObject({ [misses]: 2 });
  expect(metrics.callbacks).toBe(1);
  await one.close();
  expect(metrics.callbacks).toBe(1);
  expect((await metrics.collect())['tierkit.cache.reads']).toMatchObject({ [misses]: 2 });
  await two.close();
  expect(metrics.callbacks).toBe(0);
});

test('durations wait for the collection and are in it exactly, and what waits at the end is recorded', async () => {
  const telemetry = openTelemetry({ meterProvider: metrics.meterProvider });
  const metric = {
    name: 'test.duration',
    kind: 'duration',
    unit: 's',
    description: 'A test',
    attributes: ['tier', 'error.type'],
    bounds: [0.001, 0.01],
  } as const;
  const end = telemetry.observe({ metrics: [], read() {} });
  const stop = telemetry.observe({ metrics: [{ ...metric, name: 'test.gauge', kind: 'gauge' }], read() {} });
  // As two parts of one process do.
  const both = [telemetry.durations(metric, { tier: 'a' }), telemetry.durations(metric, { tier: 'a' })] as const;
  const more = async (count: number): Promise<readonly number[] | undefined> => {
    for (let n = 0; n < count; n++) both[n & 2 ? 1 : 0].record(n % 2 === 0 ? 0.0005 : 0.05);
    return metrics.buckets('test.duration', 'tierkit.tier=a');
  };
  expect(await more(1)).toEqual([1, 0, 0]);
  expect(await more(200)).toEqual([101, 0, 100]);
  for (let n = 0; n < 3; n++) both[0].record(0.005);
  stop();
  end();
  expect(await more(0)).toEqual([101, 3, 100]);
  // Nobody calls before a collection any more.
  expect(await more(2)).toEqual([102, 3, 101]);
  expect(metrics.callbacks).toBe(0);
  // And where nobody collects, no more wait than a batch.
  const again = telemetry.observe({ metrics: [{ ...metric, name: 'test.gauge', kind: 'gauge' }], read() {} });
  const before = metrics.recorded;
  for (let n = 0; n < 1_000; n++) both[1].record(0.005);
  expect(metrics.recorded - before).toBeGreaterThan(900);
  again();
});

test('durations of a producer reach the reader in their buckets, and add up with what the meter has', async () => {
  const { meterProvider, durations } = metrics;
  const telemetry = openTelemetry({ meterProvider, durations });
  const metric = {
    name: 'test.duration',
    kind: 'duration',
    unit: 's',
    description: 'A test',
    attributes: ['tier', 'error.type'],
    bounds: [0.001, 0.01],
  } as const;
  const series = telemetry.durations(metric, { tier: 'a' });
  for (const seconds of [0.0005, 0.001, 0.005, 3]) series.record(seconds);
  series.record(0.002, 'ERR_X');
  expect(await metrics.buckets('test.duration', 'tierkit.tier=a')).toEqual([2, 1, 1]);
  expect(await metrics.buckets('test.duration', 'error.type=ERR_X,tierkit.tier=a')).toEqual([0, 1, 0]);
  const startOf = async (): Promise<unknown> =>
    (await durations.collect()).resourceMetrics.scopeMetrics[0]?.metrics[0]?.dataPoints[0]?.startTime;
  const since = await startOf();
  await new Promise((resolve) => setTimeout(resolve, 5));
  expect(await startOf()).toEqual(since);
  const tiers = open({ telemetry });
  await tiers.global.get('a');
  await tiers.global.get('a');
  const all = await metrics.collect();
  expect(all['tierkit.cache.operation.duration']).toEqual({ 'tierkit.operation=get,tierkit.tier=global': 2 });
  expect(all['tierkit.cache.reads']).toMatchObject({ 'tierkit.result=miss,tierkit.tier=global': 2 });
});

test('no more than 100 names of a tier have series of their own, and nothing is lost beyond', async () => {
  const project = open().project('p');
  for (let i = 0; i < 150; i++) await project.countedAs(`name${i}`).get('a');
  const { 'tierkit.cache.reads': reads = {}, 'tierkit.cache.operation.duration': durations = {} } =
    await metrics.collect();
  const named = Object.keys(reads).filter((series) => series.includes('tierkit.name='));
  expect(new Set(named.map((series) => /name=([^,]*)/.exec(series)?.[1])).size).toBe(100);
  expect(reads['tierkit.result=miss,tierkit.tier=project']).toBe(50);
  expect(Object.keys(durations)).toHaveLength(101);
  expect(durations['tierkit.operation=get,tierkit.tier=project']).toBe(50);
});

test('errors of a loader that are all different make at most 21 series', async () => {
  const global = open({ load: { failureBackoff: false } }).global;
  for (let i = 0; i < 40; i++) {
    const error = Object.assign(new Error('x'), { code: `E_USER_${i}` });
    await global.getOrSet(`k${i}`, () => Promise.reject(error)).catch(() => {});
  }
  const durations = (await metrics.collect())['tierkit.cache.operation.duration'] ?? {};
  const loads = Object.entries(durations).filter(([series]) => series.includes('operation=load'));
  expect(loads).toHaveLength(21);
  expect(loads.find(([series]) => series.startsWith('error.type=_OTHER,'))?.[1]).toBe(20);
});
