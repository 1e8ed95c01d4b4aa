import { z } from '@hono/zod-openapi';
import type { AdminParts, QuotaUsages } from '../admin-parts.ts';
import { adminError } from '../problem.ts';
import { addRoute, type RouteTable } from '../route.ts';

const count = z.number();
/** Of what JSON cannot write. */
const countOrNone = z.number().nullable().openapi({ description: 'Null for no limit, or never.' });
const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);

const limits = { limit: countOrNone, remaining: countOrNone, resetMs: count, retryAfterMs: countOrNone };

const Limiters = z
  .object({
    limiters: z
      .array(
        z.object({
          name: z.string(),
          policies: z
            .array(z.object({ name: z.string(), kind: z.string(), limit: count, perMs: count, worstPerWindow: count }))
            .readonly(),
        }),
      )
      .readonly(),
  })
  .openapi('Limiters');

const LimitState = z
  .object({
    allowed: z.boolean(),
    ...limits,
    policy: z.string().nullable(),
    source: z.string().openapi({ description: 'Who decided: `redis`, or what stands in for it.' }),
    policies: z.array(z.object({ name: z.string(), ...limits })).readonly(),
  })
  .openapi('LimitState');

const QuotaUsage = z
  .object({
    usage: z.record(
      z.string(),
      z.record(
        z.string(),
        z.object({
          used: count,
          held: count,
          limit: countOrNone,
          remaining: countOrNone,
          startMs: count,
          endMs: countOrNone,
          resetMs: countOrNone,
        }),
      ),
    ),
  })
  .openapi('QuotaUsage');

const subject = z.string().min(1).max(1_000).openapi({ description: 'A user, a tenant, an address.' });
const params = z.object({ name: z.string().min(1).max(200), subject });

/** Limiters and quotas: how a subject stands, and letting it begin anew. */
export function subjectRoutes(table: RouteTable, parts: Required<Pick<AdminParts, 'limiters' | 'quotas'>>): void {
  addRoute(
    table,
    {
      method: 'get',
      path: '/api/v1/limiters',
      operation: 'listLimiters',
      summary: 'The limiters of this instance and their policies',
      tag: 'limits',
      right: 'stats',
      reply: Limiters,
    },
    () => ({
      limiters: Array.from(parts.limiters?.() ?? [], ({ name, policies }) => ({
        name,
        policies: policies.map(({ name: policy, kind, limit, perMs, worstPerWindow }) => {
          return { name: policy, kind, limit, perMs, worstPerWindow };
        }),
      })),
    }),
  );
  addRoute(
    table,
    {
      method: 'get',
      path: '/api/v1/limiters/{name}/subjects/{subject}',
      operation: 'peekLimiter',
      summary: 'What a call of the subject would be answered now, without taking anything',
      tag: 'limits',
      right: 'names',
      params,
      reply: LimitState,
    },
    async ({ params: { name, subject: whom } }) => {
      const { policies, policy = null, allowed, source, ...figures } = await named(parts.limiters, name).peek(whom);
      const each = policies.map(({ name: own, ...rest }) => Object.assign({ name: own }, limited(rest)));
      return { allowed, policy, source, ...limited(figures), policies: each };
    },
  );
  addRoute(
    table,
    {
      method: 'delete',
      path: '/api/v1/limiters/{name}/subjects/{subject}',
      operation: 'resetLimiter',
      summary: 'Forgets what a subject has taken, and its block',
      tag: 'limits',
      right: 'operate',
      params,
      reply: z.object({ reset: z.literal(true) }).openapi('LimiterReset'),
    },
    async ({ params: { name, subject: whom } }) => {
      await named(parts.limiters, name).reset(whom);
      return { reset: true } as const;
    },
  );
  addRoute(
    table,
    {
      method: 'get',
      path: '/api/v1/quotas',
      operation: 'listQuotas',
      summary: 'The names of the quotas of this instance',
      tag: 'limits',
      right: 'stats',
      reply: z.object({ quotas: z.array(z.string()).readonly() }).openapi('Quotas'),
    },
    () => ({ quotas: Array.from(parts.quotas?.() ?? [], ({ name }) => name) }),
  );
  addRoute(
    table,
    {
      method: 'get',
      path: '/api/v1/quotas/{name}/subjects/{subject}',
      operation: 'peekQuota',
      summary: 'What a subject has used of its quota, by metric and period',
      tag: 'limits',
      right: 'names',
      params,
      reply: QuotaUsage,
    },
    async ({ params: { name, subject: whom } }) => ({ usage: shown(await named(parts.quotas, name).usage(whom)) }),
  );
  addRoute(
    table,
    {
      method: 'delete',
      path: '/api/v1/quotas/{name}/subjects/{subject}',
      operation: 'resetQuota',
      summary: 'Lets a subject begin its current periods anew; gauges, holds and stored limits stay',
      tag: 'limits',
      right: 'operate',
      params,
      reply: QuotaUsage,
    },
    async ({ params: { name, subject: whom } }) => ({ usage: shown(await named(parts.quotas, name).reset(whom)) }),
  );
}

/** As JSON can write it. */
function shown(usages: QuotaUsages): z.input<typeof QuotaUsage>['usage'] {
  const all = Object.entries(usages).map(([metric, periods]) => {
    const each = Object.entries(periods).map(([period, { used, held, startMs, ...rest }]) => {
      const { limit, remaining, endMs, resetMs } = rest;
      const bounds = {
        limit: finite(limit),
        remaining: finite(remaining),
        endMs: finite(endMs),
        resetMs: finite(resetMs),
      };
      return [period, { used, held, startMs, ...bounds }];
    });
    return [metric, Object.fromEntries(each)];
  });
  return Object.fromEntries(all);
}

function named<T extends { readonly name: string }>(all: (() => Iterable<T>) | undefined, name: string): T {
  for (const one of all?.() ?? []) if (one.name === name) return one;
  throw adminError('ERR_ADMIN_NOT_FOUND', 'nothing has this name');
}

function limited({ limit, remaining, resetMs, retryAfterMs }: Readonly<Record<keyof typeof limits, number>>) {
  return { limit: finite(limit), remaining: finite(remaining), resetMs, retryAfterMs: finite(retryAfterMs) };
}
