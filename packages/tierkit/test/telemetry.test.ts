import { randomUUID } from 'node:crypto';
import { ephemeral } from '@tierkit/bus';
import { fixedWindow } from '@tierkit/rate-limit';
import { prometheus } from '@tierkit/telemetry/prometheus';
import { Registry } from 'prom-client';
import { expect, it } from 'vitest';
import { sharedRedis } from '../../../test/support/shared-redis.ts';
import { createTierkit } from '../src/index.ts';

it('tells one telemetry of all parts of a kit, and leaves nothing of it behind', async () => {
  const registry = new Registry();
  const prefix = `${randomUUID()}:`;
  const kit = createTierkit({ redis: sharedRedis(), prefix, telemetry: prometheus({ registry }) });
  await kit.ready();
  await kit.global.get('missing');
  const lock = await kit.locks.acquire('a');
  await kit.rateLimit('api', [fixedWindow({ limit: 1, per: '1h' })]).consume('user');
  await kit.quota({ calls: { per: 'day', limit: 2 } }).add('user', { calls: 1 });
  await kit.bus({ 'some:event': ephemeral<number>() }).publish('some:event', 1);
  const text = await registry.metrics();
  for (const line of [
    'tierkit_cache_reads_total{tier="global",result="miss"} 1',
    'tierkit_lock_held 1',
    'tierkit_rate_limit_decisions_total{limiter="api",result="allowed",source="redis"} 1',
    'tierkit_quota_decisions_total{operation="add",result="counted"} 1',
    'tierkit_bus_published_total 1',
    'tierkit_redis_unavailable 0',
  ])
    expect(text.split('\n')).toContain(line);
  expect(text).toMatch(/^db_client_operation_duration_seconds_count\{.*db_operation_name="GET"/m);
  await lock.release();
  await kit.close();
  expect(registry.getMetricsAsArray()).toEqual([]);
});
