import { createTiers, type Tiers } from '@tierkit/cache';
import { Counter, Registry } from 'prom-client';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { prometheus } from '../src/prometheus/index.ts';

let registry: Registry;
const opened: Tiers[] = [];

beforeEach(() => {
  registry = new Registry();
});

afterEach(async () => {
  await Promise.all(opened.splice(0).map((tiers) => tiers.close()));
});

function open(telemetry = prometheus({ registry })): Tiers {
  const tiers = createTiers({ redis: 'memory', telemetry });
  opened.push(tiers);
  return tiers;
}

/** The value of one line of the exposition; undefined if there is none. */
async function value(line: string): Promise<number | undefined> {
  const lines = (await registry.metrics()).split('\n');
  const found = lines.filter((text) => text.startsWith(`${line} `));
  expect(found.length).toBeLessThan(2);
  return found[0] === undefined ? undefined : Number(found[0].slice(line.length + 1));
}

test('counters and gauges are those of the statistics', async () => {
  const tiers = open();
  const { global } = tiers;
  await global.set('a', 'x');
  await global.get('a');
  await global.get('missing');
  await global.countedAs('reports').get('other');
  expect(await value('tierkit_cache_reads_total{tier="global",result="l1_hit"}')).toBe(1);
  expect(await value('tierkit_cache_reads_total{tier="global",result="miss"}')).toBe(1);
  expect(await value('tierkit_cache_reads_total{tier="global",name="reports",result="miss"}')).toBe(1);
  expect(await value('tierkit_cache_writes_total{tier="global"}')).toBe(1);
  expect(await value('tierkit_cache_l1_entries{tier="global"}')).toBe(1);
  expect(await value('tierkit_cache_l1_size_bytes{tier="global"}')).toBe(tiers.stats().l1.bytes);
  expect(await value('tierkit_cache_incoherent')).toBe(0);
  await global.delete('a');
  expect(await value('tierkit_cache_l1_entries{tier="global"}')).toBe(0);
});

test('durations fall into the buckets where they belong', async () => {
  const telemetry = prometheus({ registry });
  open(telemetry);
  const metric = {
    name: 'test.duration',
    kind: 'duration',
    unit: 's',
    description: 'A test',
    attributes: ['tier', 'error.type'],
    bounds: [0.001, 0.01, 0.1],
  } as const;
  const durations = telemetry.durations(metric, { tier: 'a' });
  for (const seconds of [0.0005, 0.001, 0.0011, 0.05, 3]) durations.record(seconds);
  durations.record(0.002, 'ERR_X');
  const bucket = (le: string): Promise<number | undefined> =>
    value(`test_duration_seconds_bucket{le="${le}",tier="a"}`);
  expect(await Promise.all(['0.001', '0.01', '0.1', '+Inf'].map(bucket))).toEqual([2, 3, 4, 5]);
  expect(await value('test_duration_seconds_count{tier="a"}')).toBe(5);
  expect(await value('test_duration_seconds_sum{tier="a"}')).toBeCloseTo(3.0526, 10);
  expect(await value('test_duration_seconds_count{tier="a",error_type="ERR_X"}')).toBe(1);
});

test('operations are timed', async () => {
  const { global } = open();
  await global.get('a');
  await global.getOrSet('a', () => 1);
  const count = (operation: string): Promise<number | undefined> =>
    value(`tierkit_cache_operation_duration_seconds_count{tier="global",operation="${operation}"}`);
  expect(await Promise.all(['get', 'get_or_set', 'load', 'set'].map(count))).toEqual([1, 1, 1, undefined]);
});

test('a registry of OpenMetrics exposes the same', async () => {
  const openMetrics = new Registry();
  openMetrics.setContentType(Registry.OPENMETRICS_CONTENT_TYPE as never);
  const { global } = open(prometheus({ registry: openMetrics }));
  await global.get('a');
  const text = await openMetrics.metrics();
  expect(text).toContain('# TYPE tierkit_cache_reads counter\n');
  expect(text).toContain('tierkit_cache_reads_total{tier="global",result="miss"} 1\n');
  expect(text.endsWith('# EOF\n')).toBe(true);
  // A second time, as registries of OpenMetrics rename counters.
  expect(await openMetrics.metrics()).toBe(text);
});

test("the user's own metrics and default labels stay", async () => {
  registry.setDefaultLabels({ service: 'shop' });
  const own = new Counter({ name: 'own_total', help: 'Mine', registers: [registry] });
  own.inc();
  const tiers = open();
  await tiers.global.get('a');
  expect(await value('tierkit_cache_reads_total{tier="global",result="miss",service="shop"}')).toBe(1);
  await tiers.close();
  expect(registry.getMetricsAsArray().map(({ name }) => name)).toEqual(['own_total']);
});

test('two caches are added up; the last to be closed takes the metrics along, and a later one brings them again', async () => {
  const telemetry = prometheus({ registry });
  const [one, two] = [open(telemetry), open(telemetry)];
  await one.global.get('a');
  await two.global.get('a');
  const misses = 'tierkit_cache_reads_total{tier="global",result="miss"}';
  const timed = 'tierkit_cache_operation_duration_seconds_count{tier="global",operation="get"}';
  expect(await value(misses)).toBe(2);
  await one.close();
  expect(await value(misses)).toBe(2);
  expect(await value(timed)).toBe(2);
  await two.close();
  expect(registry.getMetricsAsArray()).toEqual([]);
  await open(telemetry).global.get('a');
  expect(await value(misses)).toBe(1);
  expect(await value(timed)).toBe(3);
});

test('a second telemetry on the same registry is refused when a cache is made with it, and leaves nothing open', () => {
  open();
  expect(() => open(prometheus({ registry }))).toThrow(
    expect.objectContaining({ code: 'ERR_TELEMETRY_REGISTRY', details: { metric: 'tierkit_cache_reads_total' } }),
  );
});

test.each([undefined, null, {}, 'registry'])('%s is no registry', (wrong) => {
  expect(() => prometheus({ registry: wrong as never })).toThrow(
    expect.objectContaining({ code: 'ERR_TELEMETRY_REGISTRY' }),
  );
});

test('values in labels are escaped, and what comes from callers is in none', async () => {
  const { project } = open();
  const canary = 'canary-3f9a';
  const scope = project(`${canary} "id"`);
  await scope.set(`${canary}:key`, `${canary} value`, { tags: [`${canary}-tag`] });
  await scope.getOrSet(`${canary}:k2`, () => Promise.reject(new Error(canary))).catch(() => {});
  await scope.invalidateTags([`${canary}-tag`]);
  await scope.deleteByPattern(`${canary}*`);
  await scope.countedAs('quote " and \\ and \n').get('a');
  const text = await registry.metrics();
  expect(text).not.toContain(canary);
  expect(text).toContain('name="quote \\" and \\\\ and \\n"');
});

test("resetting the registry resets the distributions; counters are the caches' own", async () => {
  const { global } = open();
  await global.get('a');
  registry.resetMetrics();
  expect(await value('tierkit_cache_operation_duration_seconds_count{tier="global",operation="get"}')).toBeUndefined();
  expect(await value('tierkit_cache_reads_total{tier="global",result="miss"}')).toBe(1);
});
