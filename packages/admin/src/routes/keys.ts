import { z } from '@hono/zod-openapi';
import type { CacheSource } from '../admin-source.ts';
import { jsonValue } from '../json-value.ts';
import { adminError } from '../problem.ts';
import { addRoute, type RouteTable } from '../route.ts';
import { cursor, key, pattern, scope, tag, tier, wholeNumber } from './input.ts';

const listed = {
  tier: z.string(),
  scope: z.string().optional(),
  key: z.string(),
  tags: z.array(z.string()).readonly(),
};

const KeyPage = z
  .object({
    pattern: z.string(),
    limit: z.number(),
    found: z.number().openapi({ description: 'Keys on this page.' }),
    keys: z.array(z.object(listed)).readonly(),
    cursor: z.string().optional().openapi({ description: 'Absent on the last page.' }),
  })
  .openapi('KeyPage');

const entry = {
  ...listed,
  state: z.enum(['fresh', 'stale', 'absent']),
  ttlMs: z.number(),
  endsInMs: z.number(),
  bytes: z.number(),
  compressed: z.boolean(),
  encrypted: z.boolean(),
  inProcess: z.boolean(),
};
const Entry = z.object(entry).openapi('Entry');
const EntryValue = z
  .object({
    ...entry,
    type: z.string().openapi({ description: 'Of the value; `unknown` for one that is withheld.' }),
    value: z.unknown().openapi({ description: 'What JSON lacks is an object with one `$` key, such as `$date`.' }),
    truncated: z.boolean(),
    withheld: z.enum(['encrypted', 'absent']).optional(),
  })
  .openapi('EntryValue');

const place = z.object({ tier: tier.optional(), scope: scope.optional() });
const named = z.object({ key });

export function keyRoutes(table: RouteTable, { inspection }: CacheSource): void {
  addRoute(
    table,
    {
      method: 'get',
      path: '/api/v1/cache/keys',
      operation: 'listKeys',
      summary: 'Names of keys, page by page: of the global tier, of all scopes of another, or of one scope',
      tag: 'keys',
      right: 'names',
      query: place.extend({
        pattern: pattern.default('*'),
        tag: tag.optional(),
        limit: wholeNumber({ max: 1_000, default: 100 }),
        cursor: cursor.optional(),
      }),
      reply: KeyPage,
    },
    async ({ query }) => {
      const page = await inspection.keys(query);
      return { pattern: query.pattern, limit: query.limit, found: page.keys.length, ...page };
    },
  );
  addRoute(
    table,
    {
      method: 'get',
      path: '/api/v1/cache/entry/{key}',
      operation: 'describeEntry',
      summary: 'What is known of an entry, without its value; it counts as no read',
      tag: 'keys',
      right: 'names',
      params: named,
      query: place,
      reply: Entry,
    },
    async ({ params, query }) => (await inspection.entry({ ...params, ...query })) ?? missing(),
  );
  addRoute(
    table,
    {
      method: 'get',
      path: '/api/v1/cache/key/{key}',
      operation: 'readEntry',
      summary: "An entry's value, time to live and type; encrypted values are withheld",
      tag: 'keys',
      right: 'values',
      audit: true,
      params: named,
      query: place,
      reply: EntryValue,
    },
    async ({ params, query }) => {
      const { value, ...known } = (await inspection.entry({ ...params, ...query }, { value: true })) ?? missing();
      const withheld = known.state === 'absent' ? 'absent' : 'encrypted';
      if (known.encrypted || known.state === 'absent') {
        return { ...known, type: 'unknown', value: null, truncated: false, withheld } as const;
      }
      const { json, type, truncated } = jsonValue(value);
      return { ...known, type, value: json, truncated };
    },
  );
  addRoute(
    table,
    {
      method: 'delete',
      path: '/api/v1/cache/key/{key}',
      operation: 'deleteEntry',
      summary: 'Deletes an entry, existing or not, and tells every instance',
      tag: 'keys',
      right: 'clear',
      params: named,
      query: place,
      reply: z.object({ confirmed: z.boolean() }).openapi('Confirmed'),
    },
    async ({ params, query }) => ({ confirmed: await inspection.delete({ ...params, ...query }) }),
  );
}

function missing(): never {
  throw adminError('ERR_ADMIN_NOT_FOUND', 'nothing exists under this key');
}
