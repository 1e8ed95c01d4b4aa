import { z } from '@hono/zod-openapi';
import { TierkitError } from '@tierkit/core';
import type { AdminParts, LocksPart } from '../admin-parts.ts';
import { adminError } from '../problem.ts';
import { addRoute, type RouteTable } from '../route.ts';

const count = z.number();
const mode = z.enum(['exclusive', 'shared']);
const token = z.string().openapi({ description: 'A whole number that may not fit a JSON number.' });

const LocksStats = z
  .object({ held: count, waiting: count, acquired: count, waited: count, timeouts: count, lost: count })
  .openapi('LocksStats');

const LockState = z
  .object({
    name: z.string(),
    holders: z.array(z.object({ owner: z.string(), mode, token: token.nullable(), ttlMs: count })).readonly(),
    waiters: z
      .array(z.object({ owner: z.string(), mode }))
      .readonly()
      .openapi({ description: 'In the order in which they are served, the first hundred at most.' }),
    waiting: count,
    lastToken: token,
  })
  .openapi('LockState');

const params = z.object({ name: z.string().min(1).max(1_000) });

/** A kit that keeps nothing says so when it is asked for its locks. */
function openLocks(parts: AdminParts): LocksPart | undefined {
  try {
    return parts.locks;
  } catch (error) {
    if (error instanceof TierkitError && error.code === 'ERR_TIERKIT_OPTIONS') return undefined;
    throw error;
  }
}

export function lockRoutes(table: RouteTable, parts: AdminParts): void {
  const part = (): LocksPart => {
    const locks = openLocks(parts);
    if (locks === undefined) throw adminError('ERR_ADMIN_NOT_FOUND', 'there are no locks here');
    return locks;
  };
  addRoute(
    table,
    {
      method: 'get',
      path: '/api/v1/locks',
      operation: 'getLocks',
      summary: 'What this instance holds of locks and waits for, and what it counted',
      tag: 'locks',
      right: 'stats',
      reply: LocksStats,
    },
    () => part().stats(),
  );
  addRoute(
    table,
    {
      method: 'get',
      path: '/api/v1/locks/{name}',
      operation: 'inspectLock',
      summary: 'Who has a lock and who waits for it, in all processes',
      tag: 'locks',
      right: 'names',
      params,
      reply: LockState,
    },
    async ({ params: { name } }) => {
      const { holders, lastToken, ...state } = await part().inspect(name);
      const shown = holders.map(({ owner, mode: how, token: own, ttlMs }) => {
        return { owner, mode: how, ttlMs, token: own === undefined ? null : String(own) };
      });
      return { name, ...state, holders: shown, lastToken: String(lastToken) };
    },
  );
  addRoute(
    table,
    {
      method: 'delete',
      path: '/api/v1/locks/{name}',
      operation: 'forceReleaseLock',
      summary: 'Takes a lock away from whoever has it; until they notice, only fencing tokens protect',
      tag: 'locks',
      right: 'operate',
      params,
      reply: z.object({ released: z.boolean() }).openapi('LockReleased'),
    },
    async ({ params: { name }, note }) => {
      const done = { released: await part().forceRelease(name) };
      note(done);
      return done;
    },
  );
}
