import { z } from '@hono/zod-openapi';
import type { InstancesSource } from '../admin-source.ts';
import { addRoute, type RouteTable } from '../route.ts';
import { Held } from './stats.ts';

const Instances = z
  .object({
    instances: z
      .array(
        z.object({
          id: z.string(),
          own: z.boolean().openapi({ description: 'The one that answers.' }),
          host: z.string(),
          pid: z.number(),
          startedMs: z.number(),
          ageMs: z.number().openapi({ description: 'Since it was heard of.' }),
          coherent: z.boolean(),
          hits: z.number(),
          misses: z.number(),
          l1: Held,
        }),
      )
      .readonly(),
  })
  .openapi('Instances');

export function instanceRoutes(table: RouteTable, source: InstancesSource): void {
  addRoute(
    table,
    {
      method: 'get',
      path: '/api/v1/instances',
      operation: 'listInstances',
      summary: 'The instances that are alive on the same Redis, database and prefix, and what they counted',
      tag: 'health',
      right: 'stats',
      reply: Instances,
    },
    async () => ({ instances: await source.instances() }),
  );
}
