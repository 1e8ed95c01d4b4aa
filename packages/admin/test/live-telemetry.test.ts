import { randomBytes } from 'node:crypto';
import { createLimiter, fixedWindow } from '@tierkit/rate-limit';
import { createTierkit } from 'tierkit';
import { describe, expect, it } from 'vitest';
import { sharedRedis } from '../../../test/support/shared-redis.ts';
import { countsBetween, quantile } from '../dashboard/src/live/quantile.ts';
import { createLiveTelemetry } from '../src/index.ts';

describe('latencies', () => {
  it('are counted per tier and operation, once each, where Redis or a loader answered', async () => {
    const telemetry = createLiveTelemetry();
    const prefix = `t${randomBytes(6).toString('hex')}:`;
    const kit = createTierkit({ redis: sharedRedis(), prefix, telemetry: telemetry });
    await kit.ready('10s');
    const project = kit.project('p');
    await project.getOrSet('tree', async () => 1);
    for (let hit = 0; hit < 5; hit++) await project.getOrSet('tree', async () => 1);
    await kit.session('s').set('k', 1);
    const { boundsMs, series } = telemetry.read().latencies;
    const totals = series.map(({ tier, operation, counts }) => [
      `${tier} ${operation}`,
      counts.reduce((a, b) => a + b, 0),
    ]);
    const total: unknown = Object.fromEntries(totals);
    expect(total).toMatchObject({ 'project get_or_set': 1, 'project load': 1, 'session set': 1 });
    expect([...boundsMs].sort((a, b) => a - b)).toEqual(boundsMs);
    for (const { counts } of series) expect(counts).toHaveLength(boundsMs.length + 1);
    await kit.close();
  });

  it('are put into the bucket whose bound they do not exceed', () => {
    const telemetry = createLiveTelemetry();
    const name = 'tierkit.cache.operation.duration';
    const metric = {
      name,
      kind: 'duration',
      unit: 's',
      description: '',
      attributes: [],
      bounds: [0.001, 0.01],
    } as const;
    const reads = telemetry.durations(metric, { tier: 'global', operation: 'get' });
    for (const ms of [0.5, 1, 2, 50]) reads.record(ms / 1_000);
    // Of another cache, or of a name within the tier.
    telemetry.durations(metric, { tier: 'global', name: 'user', operation: 'get' }).record(0.02);
    reads.record(0.02);
    telemetry.durations({ ...metric, name: 'another' }, { tier: 'global', operation: 'get' }).record(1);
    expect(telemetry.read().latencies).toEqual({
      boundsMs: [1, 10],
      series: [{ tier: 'global', operation: 'get', counts: [2, 1, 3] }],
    });
  });
});

it('knows what limiters decided, for as long as they are open', async () => {
  const telemetry = createLiveTelemetry();
  const limiter = createLimiter('api', [fixedWindow({ limit: 2, per: '1h' })], { redis: 'memory', telemetry });
  for (let call = 0; call < 5; call++) await limiter.consume(`user:${call % 2}`, { cost: 1 });
  await limiter.consume('user:0');
  expect(telemetry.read().decisions).toEqual([
    { limiter: 'api', result: 'allowed', count: 4 },
    { limiter: 'api', result: 'denied', count: 2 },
  ]);
  await limiter.close();
  expect(telemetry.read().decisions).toEqual([]);
});

describe('a quantile of buckets', () => {
  const bounds = [1, 2, 4];

  it.each([
    [[0, 0, 0, 0], 0.5, null],
    [[10, 0, 0, 0], 0.5, 0.5],
    [[0, 10, 0, 0], 0.5, 1.5],
    [[5, 0, 5, 0], 0.95, 3.8],
    [[0, 0, 0, 3], 0.5, 4],
  ])('of %j at %d is %d', (counts, part, expected) => {
    const found = quantile(bounds, counts, part);
    if (expected === null) expect(found).toBeNull();
    else expect(found).toBeCloseTo(expected);
  });

  it('is of what happened between two times, of the series that are wanted', () => {
    const figures = (get: readonly number[], set: readonly number[]) => ({
      boundsMs: bounds,
      series: [
        { tier: 'global', operation: 'get', counts: get },
        { tier: 'global', operation: 'set', counts: set },
      ],
    });
    const reads = ({ operation }: { readonly operation: string }): boolean => operation === 'get';
    expect(countsBetween(figures([1, 0, 0, 0], [9, 9, 9, 9]), figures([3, 1, 0, 0], [99, 9, 9, 9]), reads)).toEqual([
      2, 1, 0, 0,
    ]);
    expect(countsBetween(undefined, figures([3, 1, 0, 0], []), reads)).toEqual([3, 1, 0, 0]);
  });
});
