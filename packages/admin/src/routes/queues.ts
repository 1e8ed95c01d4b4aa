import { z } from '@hono/zod-openapi';
import { TierkitError } from '@tierkit/core';
import type { AdminParts, QueuePart, QueueState } from '../admin-parts.ts';
import { jsonValue } from '../json-value.ts';
import { adminError } from '../problem.ts';
import { addRoute, type RouteTable } from '../route.ts';
import { wholeNumber } from './input.ts';

const count = z.number();

const Queues = z
  .object({
    queues: z
      .array(
        z.object({
          name: z.string(),
          kind: z.enum(['stream', 'write-behind']),
          error: z.string().optional().openapi({ description: 'A code, where nothing can be said of this one.' }),
          waiting: count.optional(),
          pending: count.optional(),
          deadLetters: count.optional(),
          oldestMs: count.optional(),
          groups: z
            .array(z.object({ name: z.string(), waiting: count.optional(), pending: count }))
            .readonly()
            .optional(),
        }),
      )
      .readonly(),
  })
  .openapi('Queues');

const DeadLetters = z
  .object({
    deadLetters: z
      .array(
        z.object({
          id: z.string(),
          group: z.string().optional(),
          attempts: count,
          reason: z.string(),
          payload: z.unknown().optional().openapi({ description: 'For those who may read values.' }),
        }),
      )
      .readonly(),
  })
  .openapi('DeadLetters');

const id = z.string().min(1).max(100);
const params = z.object({ name: z.string().min(1).max(500) });
const Done = z.object({ count }).openapi('DeadLettersDone');

/** Durable streams and write-behind queues: how far they are, and what they gave up. */
export function queueRoutes(table: RouteTable, { queues }: Required<Pick<AdminParts, 'queues'>>): void {
  const all = (): QueuePart[] => [...(queues?.() ?? [])];
  const named = (name: string): QueuePart => {
    const found = all().find((one) => one.name === name);
    if (found === undefined) throw adminError('ERR_ADMIN_NOT_FOUND', 'nothing has this name');
    return found;
  };
  addRoute(
    table,
    {
      method: 'get',
      path: '/api/v1/queues',
      operation: 'listQueues',
      summary: 'Durable streams and write-behind queues, what waits in them and what they gave up',
      tag: 'queues',
      right: 'stats',
      reply: Queues,
    },
    async () => ({
      queues: await Promise.all(
        all().map(async (one) => Object.assign({ name: one.name, kind: one.kind }, await stateOf(one))),
      ),
    }),
  );
  addRoute(
    table,
    {
      method: 'get',
      path: '/api/v1/queues/{name}/dead-letters',
      operation: 'listDeadLetters',
      summary: 'What was given up, the oldest first',
      tag: 'queues',
      right: 'names',
      params,
      query: z.object({ after: id.optional(), limit: wholeNumber({ max: 500, default: 100 }) }),
      reply: DeadLetters,
    },
    async ({ params: { name }, query: { after, limit }, actor }) => {
      const letters = await named(name).deadLetters.list(after === undefined ? { limit } : { after, limit });
      const shown = letters.map(({ payload, ...letter }) =>
        actor.rights.has('values') && payload !== undefined
          ? Object.assign({ payload: jsonValue(payload).json }, letter)
          : letter,
      );
      return { deadLetters: shown };
    },
  );
  for (const act of ['replay', 'remove'] as const) {
    addRoute(
      table,
      {
        method: 'post',
        path: `/api/v1/queues/{name}/dead-letters/${act}`,
        operation: `${act}DeadLetters`,
        summary: act === 'replay' ? 'Puts dead letters back to be worked off' : 'Discards dead letters',
        tag: 'queues',
        right: 'operate',
        params,
        body: z.object({
          ids: z.array(id).min(1).max(500).optional().openapi({ description: 'Without it, all of them.' }),
        }),
        reply: Done,
      },
      async ({ params: { name }, body: { ids }, note }) => {
        const done = { count: await named(name).deadLetters[act](ids) };
        note(done);
        return done;
      },
    );
  }
}

/** What is wrong with one queue says nothing of the others; that Redis is away does. */
async function stateOf(queue: QueuePart): Promise<QueueState | { readonly error: string }> {
  try {
    return await queue.state();
  } catch (error) {
    if (error instanceof TierkitError && error.code === 'ERR_REDIS_REPLY') return { error: error.code };
    throw error;
  }
}
