import { z } from '@hono/zod-openapi';
import { givenKey, TierkitError } from '@tierkit/core';
import type { AdminParts, LocksPart } from '../admin-parts.ts';
import { adminError } from '../problem.ts';
import { addRoute, type RouteTable } from '../route.ts';
import { cursor, wholeNumber } from './input.ts';

const count = z.number();
const mode = z.enum(['exclusive', 'shared']);
const token = z.string().openapi({ description: 'A whole number that may not fit a JSON number.' });

const LocksStats = z
  .object({ held: count, waiting: count, acquired: count, waited: count, timeouts: count, lost: count })
  .openapi('LocksStats');

const kind = z.enum(['lock', 'semaphore']);

const LockPage = z
  .object({
    locks: z
      .array(
        z.object({
          ...{ kind, name: z.string(), holders: count, waiting: count },
          foreign: z.boolean().openapi({
            description: 'No lock has written what is there: nobody can take it until it is released by force.',
          }),
        }),
      )
      .readonly(),
    cursor: z.string().optional().openapi({ description: 'Absent on the last page.' }),
  })
  .openapi('LockPage');

const LockState = z
  .object({
    kind,
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

const params = z.object({
  name: z.string().min(1).max(1_000).openapi({ description: 'As it was listed, or as it was given to `acquire`.' }),
});
const query = z.object({ kind: kind.default('lock') });

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
      path: '/api/v1/lock-stats',
      operation: 'getLockStats',
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
      path: '/api/v1/locks',
      operation: 'listLocks',
      summary: 'Locks and semaphores that somebody holds or waits for, in all processes, page by page',
      tag: 'locks',
      right: 'names',
      query: z.object({ limit: wholeNumber({ max: 1_000, default: 100 }), cursor: cursor.optional() }),
      reply: LockPage,
    },
    ({ query: page }) => part().list(page),
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
      query,
      reply: LockState,
    },
    async ({ params: { name }, query: { kind: which } }) => {
      const lock = { kind: which, name: givenKey(name) };
      const { holders, lastToken, ...state } = await part().inspect(lock);
      const shown = holders.map(({ owner, mode: how, token: own, ttlMs }) => {
        return { owner, mode: how, ttlMs, token: own === undefined ? null : String(own) };
      });
      return { ...lock, ...state, holders: shown, lastToken: String(lastToken) };
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
      query,
      reply: z.object({ released: z.boolean() }).openapi('LockReleased'),
    },
    async ({ params: { name }, query: { kind: which }, note }) => {
      const done = { released: await part().forceRelease({ kind: which, name: givenKey(name) }) };
      note(done);
      return done;
    },
  );
}
