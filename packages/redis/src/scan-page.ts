import type { Redis } from 'ioredis';
import type { RedisConnection } from './connection.ts';
import { decodePosition, encodePosition, type ScanPosition } from './scan-position.ts';

/** Keys that the server looks at in one step. */
const COUNT = 500;
/** A page ends after so many steps, whatever it found: its cost is bounded however rare the keys are. */
const MAX_STEPS = 20;

export interface ScanPageOptions<Found> {
  /** Glob-style pattern that the keys match. */
  readonly match: string;
  /** The most that a page holds. */
  readonly limit: number;
  /** The last page's, to go on behind it. */
  readonly cursor?: string | undefined;
  /** What stands under those of some keys that are wanted, in any order. */
  readonly find: (keys: readonly string[]) => Promise<readonly Found[]>;
}

export interface ScanPage<Found> {
  readonly found: readonly Found[];
  /** `undefined` on the last page. A page may hold little, or nothing, and not be the last. */
  readonly cursor: string | undefined;
}

/**
 * One page of the keys of all masters, in no order; 10,000 keys are looked at for it at the most.
 *
 * A key that exists all the time is on one page at least. A step of Redis's SCAN may bring more keys than a page has room
 * for: the next page repeats the step and leaves out what was handed out, unless the table was resized meanwhile, when
 * keys come twice rather than not at all. On a Cluster, keys that move to another server may be missed.
 *
 * @returns `undefined` if the cursor is none that a page gave
 * @throws {TierkitError} `ERR_REDIS_UNAVAILABLE`, `ERR_REDIS_TIMEOUT` or `ERR_REDIS_REPLY`
 */
export async function scanPage<Found extends { readonly key: string }>(
  redis: RedisConnection,
  { match, limit, cursor, find }: ScanPageOptions<Found>,
): Promise<ScanPage<Found> | undefined> {
  const page: Found[] = [];
  const begin = cursor === undefined ? { node: 0, from: '0' } : decodePosition(cursor);
  if (begin === undefined) return undefined;
  let position: ScanPosition = begin;
  for (let step = 0; step < MAX_STEPS && page.length < limit; step++) {
    const { node, from, within } = position;
    const scanned = await scanStep(redis, match, position);
    if (scanned === undefined) return undefined;
    const { next, keys, nodes } = scanned;
    const rest = within?.next === next ? keys.filter((key) => key > within.after) : keys;
    const found = (await find(rest)).toSorted((a, b) => (a.key < b.key ? -1 : 1));
    const taken = found.slice(0, limit - page.length);
    page.push(...taken);
    const last = taken.at(-1);
    if (found.length > taken.length && last !== undefined) {
      return { found: page, cursor: encodePosition({ node, from, within: { next, after: last.key } }) };
    }
    if (next === '0' && node + 1 >= nodes) return { found: page, cursor: undefined };
    position = next === '0' ? { node: node + 1, from: '0' } : { node, from: next };
  }
  return { found: page, cursor: encodePosition(position) };
}

interface Step {
  readonly next: string;
  readonly keys: readonly string[];
  /** How many masters there are. */
  readonly nodes: number;
}

/** @returns `undefined` if there is no such master */
async function scanStep(
  redis: RedisConnection,
  match: string,
  { node, from }: ScanPosition,
): Promise<Step | undefined> {
  return redis.execute(
    async () => {
      const masters = [...redis.masters()].sort((a, b) => (addressOf(a) < addressOf(b) ? -1 : 1));
      const master = masters[node];
      if (master === undefined) return undefined;
      const [next, keys] = await master.scan(from, 'MATCH', match, 'COUNT', COUNT);
      return { next, keys: [...new Set(keys)].sort(), nodes: masters.length };
    },
    undefined,
    'SCAN',
  );
}

function addressOf({ options }: Redis): string {
  return `${options.host}:${options.port}`;
}
