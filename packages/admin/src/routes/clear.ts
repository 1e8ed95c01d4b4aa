import { z } from '@hono/zod-openapi';
import type { CacheScope, CacheSource } from '../admin-source.ts';
import { adminError } from '../problem.ts';
import { addRoute, type Call, type RouteTable } from '../route.ts';
import { countTagged } from './count-tagged.ts';
import { flag, pattern, scope, tag, tier } from './input.ts';

const Cleared = z
  .object({
    cleared: z.array(z.string()).readonly().openapi({ description: 'Tiers, or the scope, or the pattern.' }),
    deleted: z.number().optional().openapi({ description: 'Entries, where they are counted.' }),
    confirmed: z.boolean().openapi({ description: 'If not, it is made up for when Redis returns.' }),
  })
  .openapi('Cleared');

const Invalidated = z
  .object({
    pattern: z.string(),
    deleted: z.number().openapi({ description: 'Entries that were deleted, or would be.' }),
    confirmed: z.boolean(),
    dryRun: z.boolean(),
  })
  .openapi('Invalidated');

const TagsInvalidated = z
  .object({
    tags: z.array(z.string()).readonly(),
    deleted: z.number().openapi({ description: 'Entries that had one of the tags when they were counted.' }),
    complete: z.boolean().openapi({ description: 'Whether all keys were looked at to count them.' }),
    confirmed: z.boolean(),
    dryRun: z.boolean(),
  })
  .openapi('TagsInvalidated');

const place = z.object({ tier: tier.optional(), scope: scope.optional() });
type Place = z.output<typeof place>;

export function clearRoutes(table: RouteTable, source: CacheSource): void {
  const clear = async ({ tier: one, scope: id }: Place): Promise<z.input<typeof Cleared>> => {
    if (id !== undefined) {
      return { cleared: [`${one}:${id}`], confirmed: await scopeOf(source, { tier: one, scope: id }).clear() };
    }
    const tiers = one === undefined ? source.inspection.tiers : [one];
    const confirmed = await Promise.all(tiers.map((name) => source.inspection.clearTier(name)));
    return { cleared: tiers, confirmed: confirmed.every(Boolean) };
  };
  const clearQuery = place.extend({ pattern: pattern.optional() });
  const clearOrMatch = async ({ query, note }: Call<undefined, typeof clearQuery, undefined>) => {
    const { pattern: matching, ...at } = query;
    const done =
      matching === undefined
        ? await clear(at)
        : { cleared: [matching], ...(await scopeOf(source, at).deleteByPattern(matching, { dryRun: false })) };
    note(done);
    return done;
  };
  addRoute(
    table,
    {
      method: 'delete',
      path: '/api/v1/cache/clear',
      operation: 'clear',
      summary: 'Ends all entries: of all tiers, of one, of one scope, or those that match a pattern',
      tag: 'cache',
      right: 'clear',
      query: clearQuery,
      reply: Cleared,
    },
    clearOrMatch,
  );
  addRoute(
    table,
    {
      method: 'post',
      path: '/health/cache/clear',
      operation: 'clearAll',
      summary: 'Ends all entries of all tiers',
      tag: 'cache',
      right: 'clear',
      reply: Cleared,
    },
    async ({ note }) => {
      const done = await clear({});
      note(done);
      return done;
    },
  );
  addRoute(
    table,
    {
      method: 'delete',
      path: '/api/v1/cache/invalidate/{pattern}',
      also: ['/health/cache/invalidate/{pattern}'],
      operation: 'invalidate',
      summary: 'Deletes the entries of the global tier, or of one scope, whose keys match',
      tag: 'cache',
      right: 'clear',
      params: z.object({ pattern }),
      query: place.extend({ dryRun: flag }),
      reply: Invalidated,
    },
    async ({ params, query: { dryRun, ...at }, note }) => {
      const done = await scopeOf(source, at).deleteByPattern(params.pattern, { dryRun });
      note({ ...done });
      return { pattern: params.pattern, dryRun, ...done };
    },
  );
  addRoute(
    table,
    {
      method: 'delete',
      path: '/api/v1/cache/tags',
      operation: 'invalidateTags',
      summary: 'Ends the entries that have one of the tags: in all tiers, or in one scope',
      tag: 'cache',
      right: 'clear',
      query: place.extend({
        tag: z
          .union([tag, z.array(tag).min(1).max(64)])
          .transform((given) => (typeof given === 'string' ? [given] : given))
          .openapi({ type: 'array', items: { type: 'string' } }),
        dryRun: flag,
      }),
      reply: TagsInvalidated,
    },
    async ({ query: { tag: tags, dryRun, ...at }, note }) => {
      const everywhere = at.tier === undefined && at.scope === undefined;
      const target = everywhere ? source : scopeOf(source, at);
      const counting = countTagged(source.inspection, tags, everywhere ? undefined : at);
      // What cannot be counted is ended all the same.
      const counted = await (dryRun ? counting : counting.catch(() => ({ deleted: 0, complete: false })));
      const done = { ...counted, confirmed: dryRun || (await target.invalidateTags(tags)) };
      note({ ...done, dryRun });
      return { tags, dryRun, ...done };
    },
  );
}

/** @throws {TierkitError} `ERR_ADMIN_INPUT`: all scopes of a tier cannot be searched as one */
function scopeOf(source: CacheSource, at: Place): CacheScope {
  const { tier: name = 'global', scope: id } = at;
  if (name === 'global' && id === undefined) return source.global;
  if (id === undefined) throw adminError('ERR_ADMIN_INPUT', 'a tier of scopes takes the scope as well');
  if (name === 'global') throw adminError('ERR_ADMIN_INPUT', 'the global tier has no scopes');
  if (!source.inspection.tiers.includes(name)) throw adminError('ERR_ADMIN_NOT_FOUND', 'no such tier');
  return source.tier(name)(id);
}
