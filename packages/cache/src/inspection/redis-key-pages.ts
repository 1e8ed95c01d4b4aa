import type { RedisConnection } from '@tierkit/redis';
import type { Redis } from 'ioredis';
import type { ScopeAddress } from '../scope-address.ts';
import type { RedisKeyspace } from '../stores/redis-keyspace.ts';
import { badCursor, decodePosition, encodePosition, type KeyPosition } from './key-cursor.ts';
import type { FoundKey, FoundPage, KeyQuery } from './key-query.ts';

/** Keys that the server looks at in one step. */
const COUNT = 500;
/** A page ends after so many steps, whatever it found: its cost is bounded however rare the keys are. */
const MAX_STEPS = 20;

/**
 * One page of the keys that a query asks for, in no order.
 *
 * A key that exists all the time is on one page at least. A step of Redis's SCAN may bring more keys than a page has room
 * for: the next page repeats the step and leaves out what was handed out, unless the table was resized meanwhile, when
 * keys come twice rather than not at all. On a Cluster, keys that move to another server may be missed.
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
  const found: FoundKey[] = [];
  let position: KeyPosition = cursor === undefined ? { node: 0, from: '0' } : decodePosition(cursor);
  for (let step = 0; step < MAX_STEPS && found.length < limit; step++) {
    const { node, from, within } = position;
    const [next, names, nodes] = await scanStep(redis, query, position);
    const rest = within?.next === next ? names.filter((key) => key > within.after) : names;
    const living = await livingKeys(keyspace, query, rest);
    const room = limit - found.length;
    const taken = living.slice(0, room);
    found.push(...taken);
    const last = taken.at(-1);
    if (living.length > room && last !== undefined) {
      return { keys: found, cursor: encodePosition({ node, from, within: { next, after: last.key } }) };
    }
    if (next === '0' && node + 1 >= nodes) return { keys: found, cursor: undefined };
    position = next === '0' ? { node: node + 1, from: '0' } : { node, from: next };
  }
  return { keys: found, cursor: encodePosition(position) };
}

async function scanStep(
  redis: RedisConnection,
  query: KeyQuery,
  { node, from }: KeyPosition,
): Promise<[next: string, keys: string[], nodes: number]> {
  return redis.execute(async () => {
    const masters = [...redis.masters()].sort((a, b) => (addressOf(a) < addressOf(b) ? -1 : 1));
    const master = masters[node];
    if (master === undefined) throw badCursor();
    const [next, keys] = await master.scan(from, 'MATCH', query.match, 'COUNT', COUNT);
    return [next, [...new Set(keys)].sort(), masters.length];
  });
}

function addressOf({ options }: Redis): string {
  return `${options.host}:${options.port}`;
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
  const living = groups.flat().filter(({ tags }) => tag === undefined || tags.includes(tag));
  return living.sort((a, b) => (a.key < b.key ? -1 : 1));
}
