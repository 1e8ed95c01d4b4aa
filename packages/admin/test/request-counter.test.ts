import type { MetricSource, Telemetry } from '@tierkit/core';
import { Hono } from 'hono';
import { createTierkit } from 'tierkit';
import { expect, test } from 'vitest';
import { createAdmin, createLiveTelemetry } from '../src/index.ts';

const token = 'x'.repeat(40);

/** A telemetry that shows what it observes, by route and status. */
function observing(): { telemetry: Telemetry; sources: Set<MetricSource>; counted: () => Record<string, number> } {
  const sources = new Set<MetricSource>();
  const counted = (): Record<string, number> => {
    const found: Record<string, number> = {};
    for (const source of sources) {
      source.read(({ name }, value, { route, status }) => (found[`${name} ${route} ${status}`] = value));
    }
    return found;
  };
  const telemetry: Telemetry = {
    observe(source) {
      sources.add(source);
      return () => sources.delete(source);
    },
    durations: () => ({ record() {} }),
  };
  return { telemetry, sources, counted };
}

test.each([
  ['alone', (app: Hono) => app, ''],
  ['within an app', (app: Hono) => new Hono().route('/ops', app), '/ops'],
])('requests are counted by route and status, never by what is in their paths: %s', async (_where, mounted, base) => {
  const { telemetry, sources, counted } = observing();
  const kit = createTierkit({ redis: 'memory' });
  const admin = createAdmin(kit, {
    tokens: [{ name: 'ops', token, role: 'viewer' }],
    telemetry: [createLiveTelemetry(), telemetry],
  });
  const app = mounted(admin.app as unknown as Hono);
  const ask = async (path: string, authorization = `Bearer ${token}`, method = 'GET'): Promise<number> => {
    const reply = await app.request(`${base}${path}`, { method, headers: { authorization } });
    return reply.status;
  };
  expect(await ask('/api/v1/cache/stats')).toBe(200);
  expect(await ask('/api/v1/cache/stats')).toBe(200);
  expect(await ask('/api/v1/cache/stats', 'Bearer wrong')).toBe(401);
  expect(await ask('/api/v1/cache/key/canary-1')).toBe(403);
  expect(await ask('/api/v1/canary-3')).toBe(404);
  expect(await ask('/api/v1/canary-2', undefined, 'CANARY')).toBe(404);
  expect(await ask('/api/v1/cache/keys?limit=canary')).toBe(400);
  expect(counted()).toEqual({
    [`tierkit.admin.requests ${base}/api/v1/cache/stats 200`]: 2,
    'tierkit.admin.requests  401': 1,
    'tierkit.admin.requests  404': 2,
    [`tierkit.admin.requests ${base}/api/v1/cache/keys 400`]: 1,
    [`tierkit.admin.requests ${base}/api/v1/cache/key/:key 403`]: 1,
  });
  admin.close();
  expect(sources.size).toBe(0);
  await kit.close();
});
