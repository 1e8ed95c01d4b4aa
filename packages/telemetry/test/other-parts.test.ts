import { randomUUID } from 'node:crypto';
import { createBus, durable, ephemeral } from '@tierkit/bus';
import { createTiers } from '@tierkit/cache';
import { createLocks } from '@tierkit/lock';
import { createQuota } from '@tierkit/quota';
import { createLimiter, fixedWindow } from '@tierkit/rate-limit';
import { Registry } from 'prom-client';
import { afterEach, beforeEach, expect, inject, test, vi } from 'vitest';
import { sharedRedis } from '../../../test/support/shared-redis.ts';
import { openTelemetry } from '../src/opentelemetry/index.ts';
import { prometheus } from '../src/prometheus/index.ts';
import { CollectedMetrics } from './support/collected.ts';

let metrics: CollectedMetrics;

beforeEach(() => {
  metrics = new CollectedMetrics();
});

afterEach(() => metrics.close());

const told = (): ReturnType<typeof openTelemetry> => openTelemetry({ meterProvider: metrics.meterProvider });

test('locks tell what is held and waited for, and how waits ended', async () => {
  const locks = createLocks({ redis: 'memory', telemetry: told() });
  const lock = await locks.acquire('a');
  await expect(locks.acquire('a', { timeout: 10 })).rejects.toMatchObject({ code: 'ERR_LOCK_TIMEOUT' });
  const waiting = locks.acquire('a');
  await vi.waitFor(() => expect(locks.stats().waiting).toBe(1), { timeout: 10_000 });
  let all = await metrics.collect();
  const of = (name: string): number | undefined => all[`tierkit.lock.${name}`]?.[''];
  expect(['held', 'waiting', 'acquired', 'timeouts', 'lost'].map(of)).toEqual([1, 1, 1, 1, 0]);
  await lock.release();
  await (await waiting).release();
  all = await metrics.collect();
  expect(['held', 'waiting', 'acquired', 'waited'].map(of)).toEqual([0, 0, 2, 1]);
  await locks.close();
  expect(metrics.callbacks).toBe(0);
});

test('a write-behind queue tells what is pending, what it flushed and what it gave up', async () => {
  const tiers = createTiers({ redis: sharedRedis(), prefix: `${randomUUID()}:`, telemetry: told() });
  await tiers.ready();
  const flush = (batch: readonly { readonly key: unknown }[]): void => {
    if (batch.some(({ key }) => key === 'poison')) throw new Error('not this one');
  };
  const batch = { age: '1ms', size: 10 };
  const queue = tiers.writeBehind('reports', { flush, batch, poll: '20ms', retry: { attempts: 1, backoff: '1ms' } });
  const session = tiers.session('one');
  // What fails alone is told from a sink that takes nothing by what it takes beside it.
  await Promise.all(['a', 'poison', 'b'].map((key) => session.writeBehind(key, 1, queue)));
  await vi.waitFor(async () => expect((await queue.status()).deadLetters).toBe(1), { timeout: 20_000 });
  let all = await metrics.collect();
  const of = (name: string): number | undefined => all[`tierkit.write_behind.${name}`]?.['tierkit.queue=reports'];
  expect(['flushed', 'dead_letters'].map(of)).toEqual([2, 1]);
  expect(of('flushes')).toBeGreaterThan(0);
  expect(of('failures')).toBeGreaterThan(0);
  expect(of('lag')).toBeGreaterThan(0);
  const still = tiers.writeBehind('still', { flush, worker: false, poll: '20ms', drainTimeout: '1ms' });
  await session.writeBehind('c', 3, still);
  await vi.waitFor(
    async () => {
      all = await metrics.collect();
      expect(all['tierkit.write_behind.backlog']).toMatchObject({
        'tierkit.queue=still': 1,
        'tierkit.queue=reports': 0,
      });
    },
    { timeout: 20_000 },
  );
  await tiers.close();
  expect(metrics.callbacks).toBe(0);
});

test('a limiter tells its decisions and who made them, and no subject', async () => {
  const redis = { url: inject('redisUrl'), commandTimeout: 5_000 };
  const options = { redis, prefix: `${randomUUID()}:`, telemetry: told() };
  const limiter = createLimiter('api', [fixedWindow({ limit: 2, per: '1h' })], { ...options, deny: ['banned'] });
  await limiter.ready();
  for (let i = 0; i < 3; i++) await limiter.consume('canary-user');
  await limiter.consume('banned');
  await limiter.peek('canary-user');
  const all = await metrics.collect();
  expect(all['tierkit.rate_limit.decisions']).toEqual({
    'tierkit.limiter=api,tierkit.result=allowed,tierkit.source=redis': 2,
    'tierkit.limiter=api,tierkit.result=denied,tierkit.source=redis': 1,
    'tierkit.limiter=api,tierkit.result=denied,tierkit.source=list': 1,
  });
  expect(JSON.stringify(all)).not.toContain('canary');
  await limiter.close();
  expect(metrics.callbacks).toBe(0);
});

test('a quota tells what was counted, repeated and refused', async () => {
  const quota = createQuota({ calls: { per: 'day', limit: 2 } }, { redis: 'memory', telemetry: told() });
  await quota.add('user', { calls: 1 }, { id: 'one' });
  await quota.add('user', { calls: 1 }, { id: 'one' });
  await quota.add('user', { calls: 5 });
  await quota.usage('user');
  expect((await metrics.collect())['tierkit.quota.decisions']).toEqual({
    'tierkit.operation=add,tierkit.result=counted': 1,
    'tierkit.operation=add,tierkit.result=repeated': 1,
    'tierkit.operation=add,tierkit.result=refused': 1,
  });
  await quota.close();
  expect(metrics.callbacks).toBe(0);
});

test('a bus tells its figures', async () => {
  const bus = createBus(
    { 'a:b': ephemeral<number>(), 'c:d': durable<number>() },
    { redis: 'memory', telemetry: told() },
  );
  const heard: number[] = [];
  const off = bus.on('a:b', ({ data }) => {
    heard.push(data);
    if (data === 2) throw new Error('mine');
  });
  await off.ready;
  for (const n of [1, 2]) await bus.publish('a:b', n);
  await vi.waitFor(() => expect(heard).toEqual([1, 2]), { timeout: 10_000 });
  const all = await metrics.collect();
  const of = (name: string): number | undefined => all[`tierkit.bus.${name}`]?.[''];
  expect(['published', 'handler_failures', 'subscriptions', 'dropped'].map(of)).toEqual([2, 1, 1, 0]);
  await bus.close();
  expect(metrics.callbacks).toBe(0);
});

test('where a telemetry refuses a part, the part throws and leaves nothing open', () => {
  const registry = new Registry();
  const opened = createLocks({ redis: 'memory', telemetry: prometheus({ registry }) });
  const refused = expect.objectContaining({ code: 'ERR_TELEMETRY_REGISTRY' }) as Error;
  expect(() => createLocks({ redis: 'memory', telemetry: prometheus({ registry }) })).toThrow(refused);
  return opened.close();
});
