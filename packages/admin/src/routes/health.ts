import { z } from '@hono/zod-openapi';
import type { CacheSource, HealthSource } from '../admin-source.ts';
import { addRoute, type RouteTable } from '../route.ts';
import { serverFigures, ServerFigures } from './server-figures.ts';

const status = z.enum(['up', 'degraded', 'down']);

const Health = z.object({ timestamp: z.iso.datetime(), status, backend: z.string(), latencyMs: z.number() });

const Detailed = Health.extend({
  prefix: z.string(),
  checks: z.object({
    redis: z
      .object({
        status: z.enum(['up', 'down']),
        latencyMs: z.number(),
        topology: z.string(),
        breaker: z.object({ state: z.enum(['closed', 'open', 'half-open']), failures: z.number() }),
        nodes: z
          .array(
            z.object({
              address: z.string(),
              status: z.enum(['up', 'down']),
              latencyMs: z.number(),
              error: z.string().optional(),
            }),
          )
          .readonly(),
        error: z.string().optional(),
      })
      .nullable()
      .openapi({ description: 'Null without Redis.' }),
    coherence: z.object({
      status: z.enum(['up', 'down']),
      unconfirmedScopes: z.number(),
    }),
    server: ServerFigures.nullable(),
  }),
}).openapi('DetailedHealth');

export function healthRoutes(table: RouteTable, source: CacheSource & HealthSource): void {
  addRoute(
    table,
    {
      method: 'get',
      path: '/health',
      operation: 'getHealth',
      summary: 'Whether Redis answers and changes elsewhere are heard of; the status code is 200 in any case',
      tag: 'health',
      right: 'stats',
      reply: Health.openapi('Health'),
    },
    async () => {
      const { status: now, backend, latencyMs } = await source.health();
      return { timestamp: new Date().toISOString(), status: now, backend, latencyMs };
    },
  );
  addRoute(
    table,
    {
      method: 'get',
      path: '/health/detailed',
      operation: 'getDetailedHealth',
      summary: 'The same with the breaker, every master, and what the servers say of themselves',
      tag: 'health',
      right: 'stats',
      reply: Detailed,
    },
    async () => {
      const [health, server] = await Promise.all([source.health(), serverFigures(source).catch(() => null)]);
      const { coherent, unconfirmedScopes } = source.stats();
      const { redis = null, ...rest } = health;
      return {
        timestamp: new Date().toISOString(),
        ...rest,
        prefix: source.info().prefix,
        checks: {
          redis,
          coherence: { status: coherent ? ('up' as const) : ('down' as const), unconfirmedScopes },
          server,
        },
      };
    },
  );
}
