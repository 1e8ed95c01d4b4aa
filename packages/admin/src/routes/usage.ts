import { z } from '@hono/zod-openapi';
import type { CacheSource } from '../admin-source.ts';
import { addRoute, type RouteTable } from '../route.ts';
import { wholeNumber } from './input.ts';

const count = z.number();
const key = { tier: z.string(), key: z.string() };

const TopKeys = z.object({ keys: z.array(z.object({ ...key, share: z.number() })).readonly() }).openapi('TopKeys');

const Usage = z
  .object({
    asked: z.array(z.object({ ...key, share: z.number() })).readonly(),
    costly: z
      .array(z.object({ ...key, loads: count, failures: count, totalMs: count, longestMs: count }))
      .readonly()
      .openapi({ description: 'By the time that all loads of a key took.' }),
    unread: z
      .array(z.object({ ...key, times: count, bytes: count }))
      .readonly()
      .openapi({ description: 'Kept in process again and again, and never asked for there.' }),
  })
  .openapi('Usage');

const History = z
  .object({
    untilMs: count,
    series: z
      .array(
        z.object({
          tier: z.string(),
          name: z.string().optional().openapi({ description: 'Absent for the whole tier.' }),
          minutes: z.array(z.object({ hits: count, misses: count, loads: count, loadMs: count })).readonly(),
        }),
      )
      .readonly(),
  })
  .openapi('History');

const query = z.object({ limit: wholeNumber({ max: 200, default: 20 }) });

/** How keys are used, as this instance sees it. */
export function usageRoutes(table: RouteTable, source: CacheSource): void {
  addRoute(
    table,
    {
      method: 'get',
      path: '/api/v1/cache/top-keys',
      operation: 'getTopKeys',
      summary: 'The keys that this instance was asked for most often of late, from samples',
      tag: 'usage',
      right: 'names',
      query,
      reply: TopKeys,
    },
    ({ query: { limit } }) => ({ keys: source.topKeys({ limit }) }),
  );
  addRoute(
    table,
    {
      method: 'get',
      path: '/api/v1/cache/usage',
      operation: 'getUsage',
      summary: 'Keys that are asked for most, that cost most to load, and that are kept for nothing',
      tag: 'usage',
      right: 'names',
      query,
      reply: Usage,
    },
    ({ query: { limit } }) => source.inspection.usage({ limit }),
  );
  addRoute(
    table,
    {
      method: 'get',
      path: '/api/v1/cache/history',
      operation: 'getHistory',
      summary: 'Hits, misses and loads of each tier and name in each minute of the last hour',
      tag: 'usage',
      right: 'stats',
      reply: History,
    },
    () => source.inspection.history(),
  );
}
