import { z } from '@hono/zod-openapi';
import type { CacheSource, HealthSource } from '../admin-source.ts';
import { addRoute, type RouteTable } from '../route.ts';
import { serverFigures, ServerFigures } from './server-figures.ts';

const count = z.number();

const Figures = z.object({
  l1Hits: count,
  l2Hits: count,
  misses: count,
  shared: count,
  staleServed: count,
  loads: count,
  loadErrors: count,
  loadMs: count,
  writes: count,
  deletes: count,
  errors: count,
  corrupt: count,
  bytesRead: count,
  bytesWritten: count,
  hitRate: z.number().min(0).max(1),
});

export const Held = z.object({ entries: count, bytes: count });

const Stats = z
  .object({
    timestamp: z.iso.datetime(),
    backend: z.enum(['redis', 'memory', 'null']),
    coherent: z.boolean(),
    unconfirmedScopes: count,
    l1: Held,
    hits: count,
    misses: count,
    hitRate: z.number().min(0).max(1),
    tiers: z.record(z.string(), Figures.extend({ loading: count, l1: Held, names: z.record(z.string(), Figures) })),
    server: ServerFigures.nullable().openapi({ description: 'Null without Redis, or while it does not answer.' }),
  })
  .openapi('Stats');

export function statsRoutes(table: RouteTable, source: CacheSource & HealthSource): void {
  addRoute(
    table,
    {
      method: 'get',
      path: '/api/v1/cache/stats',
      also: ['/health/cache/stats'],
      operation: 'getStats',
      summary: 'What this instance counted, per tier and name, and what the servers say of themselves',
      tag: 'cache',
      right: 'stats',
      reply: Stats,
    },
    async () => {
      const { tiers, ...stats } = source.stats();
      const all = Object.values(tiers);
      const hits = all.reduce((sum, { l1Hits, l2Hits }) => sum + l1Hits + l2Hits, 0);
      const misses = all.reduce((sum, { misses: missed, shared }) => sum + missed + shared, 0);
      const hitRate = hits === 0 ? 0 : hits / (hits + misses);
      const server = await serverFigures(source).catch(() => null);
      return { timestamp: new Date().toISOString(), ...stats, hits, misses, hitRate, tiers, server };
    },
  );
}
