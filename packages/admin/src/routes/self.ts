import { z } from '@hono/zod-openapi';
import type { AuditLog } from '../access/audit.ts';
import { RIGHTS } from '../access/rights.ts';
import { addRoute, type RouteTable } from '../route.ts';
import { wholeNumber } from './input.ts';

const Whoami = z
  .object({ name: z.string(), role: z.string().nullable(), rights: z.array(z.enum(RIGHTS)).readonly() })
  .openapi('Whoami');

const record = z.record(z.string(), z.unknown());
const AuditTrail = z
  .object({
    events: z
      .array(
        z.object({
          at: z.number(),
          actor: z.string().optional(),
          operation: z.string().optional(),
          method: z.string(),
          path: z.string(),
          parameters: record,
          status: z.number(),
          outcome: record.optional(),
        }),
      )
      .readonly(),
  })
  .openapi('AuditTrail');

/** What the API says of itself and of its use. */
export function selfRoutes(table: RouteTable, audit: AuditLog): void {
  addRoute(
    table,
    {
      method: 'get',
      path: '/api/v1/whoami',
      operation: 'whoami',
      summary: 'What this token may do',
      tag: 'access',
      right: 'any',
      reply: Whoami,
    },
    ({ actor: { name, role, rights } }) => ({ name, role: role ?? null, rights: [...rights] }),
  );
  addRoute(
    table,
    {
      method: 'get',
      path: '/api/v1/audit',
      operation: 'getAudit',
      summary: 'The latest calls to this process that changed something, read a value, or were refused',
      tag: 'access',
      right: 'audit',
      query: z.object({ limit: wholeNumber({ max: 500, default: 100 }) }),
      reply: AuditTrail,
    },
    ({ query: { limit } }) => ({ events: audit.last(limit) }),
  );
  addRoute(
    table,
    {
      method: 'get',
      path: '/api/v1/openapi.json',
      operation: 'getOpenapi',
      summary: 'This document',
      tag: 'access',
      right: 'any',
      reply: record,
    },
    () => table.document(),
  );
}
