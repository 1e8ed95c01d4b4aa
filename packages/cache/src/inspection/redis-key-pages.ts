import { scanPage, type RedisConnection } from '@tierkit/redis';
import type { ScopeAddress } from '../scope-address.ts';
import type { RedisKeyspace } from '../stores/redis-keyspace.ts';
import { badCursor } from './bad-cursor.ts';
import type { FoundKey, FoundPage, KeyQuery } from './key-query.ts';

/**
 * One page of the keys that a query asks for, as {@link scanPage} comes by them.
 *
 * @throws {TierkitError} `ERR_CACHE_CURSOR`, `ERR_REDIS_*`
 */
export async function redisKeyPage(
  redis: RedisConnection,
  keyspace: RedisKeyspace,
  query: KeyQuery,
  limit: number,
  cursor: string | undefined,
): Promise<FoundPage> {
  const find = (keys: readonly string[]): Promise<FoundKey[]> => livingKeys(keyspace, query, keys);
  const page = await scanPage(redis, { match: query.match, limit, cursor, find });
  if (page === undefined) throw badCursor();
  return { keys: page.found, cursor: page.cursor };
}

async function livingKeys(keyspace: RedisKeyspace, query: KeyQuery, keys: readonly string[]): Promise<FoundKey[]> {
  const byScope = new Map<string, { readonly scope: ScopeAddress; readonly keys: string[] }>();
  for (const key of keys) {
    const scope = query.ownerOf(key);
    if (scope === undefined) continue;
    const known = byScope.get(scope.generationKey);
    if (known === undefined) byScope.set(scope.generationKey, { scope, keys: [key] });
    else known.keys.push(key);
  }
  const { tag } = query;
  const groups = await Promise.all(
    Array.from(byScope.values(), async ({ scope, keys: own }) => {
      const living = await keyspace.living(scope, own, true);
      return living.map(({ key, tags }): FoundKey => ({ scope, key, tags }));
    }),
  );
  return groups.flat().filter(({ tags }) => tag === undefined || tags.includes(tag));
}
