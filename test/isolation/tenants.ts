import { createBus, durable, ephemeral } from '@tierkit/bus';
import { createTiers, type Tiers } from '@tierkit/cache';
import { createLocks, type Locks } from '@tierkit/lock';
import { createQuota } from '@tierkit/quota';
import { createLimiter, fixedWindow } from '@tierkit/rate-limit';
import { createTierkit, type Tierkit } from 'tierkit';
import { Cluster, Redis } from 'ioredis';

/** One tenant or edition: everything there is, on a prefix and a database. */
export interface Tenant {
  readonly prefix: string;
  readonly kit: Tierkit;
  readonly locks: Locks;
  readonly limiter: ReturnType<typeof limiterOn>;
  readonly quota: ReturnType<typeof quotaOn>;
  readonly bus: ReturnType<typeof busOn>;
  /** A cache beside the kit, for what is written behind. */
  readonly tiers: Tiers;
  /** What lies in Redis under the tenant's prefix, what works by itself left out: names, and what strings hold. */
  stored(): Promise<Record<string, string>>;
  close(): Promise<void>;
}

const limiterOn = (redis: RedisOf, prefix: string) =>
  createLimiter('api', [fixedWindow({ limit: 3, per: '1h' })], { redis, prefix });
const quotaOn = (redis: RedisOf, prefix: string) => createQuota({ calls: { per: 'day', limit: 5 } }, { redis, prefix });

const channels = { 'orders:placed': durable<{ id: number }>(), 'notes:user:{id}': ephemeral<{ text: string }>() };
const busOn = (redis: RedisOf, prefix: string) => createBus(channels, { redis, prefix });

type RedisOf = Where & { readonly commandTimeout: '10s' };

/** A database of a server, or a Cluster. */
export type Where = { readonly url: string } | { readonly cluster: readonly { host: string; port: number }[] };

export async function openTenant(where: Where, prefix: string): Promise<Tenant> {
  const redis: RedisOf = { ...where, commandTimeout: '10s' };
  const kit = createTierkit({ redis, prefix });
  const locks = createLocks({ redis, prefix });
  const limiter = limiterOn(redis, prefix);
  const quota = quotaOn(redis, prefix);
  const bus = busOn(redis, prefix);
  const tiers = createTiers({ redis, prefix });
  const raw = 'url' in where ? new Redis(where.url) : new Cluster([...where.cluster]);
  await Promise.all([kit, locks, limiter, quota, bus, tiers].map((one) => one.ready('15s')));
  return {
    ...{ prefix, kit, locks, limiter, quota, bus, tiers },
    async stored() {
      const found: Record<string, string> = {};
      for (const key of (await keysOf(raw, `${prefix}*`)).toSorted()) {
        if (/\{tierkit\}(?:instances|behind)/.test(key)) continue;
        found[key] = await raw.getBuffer(key).then(
          (bytes) => bytes?.toString('base64') ?? 'gone',
          () => 'no string',
        );
      }
      return found;
    },
    async close() {
      raw.disconnect();
      await Promise.all([locks, limiter, quota, bus, tiers].map((one) => one.close()));
      await kit.close();
    },
  };
}

async function keysOf(raw: Redis | Cluster, match: string): Promise<string[]> {
  const masters = raw instanceof Cluster ? raw.nodes('master') : [raw];
  const found: string[] = [];
  for (const master of masters) {
    let cursor = '0';
    do {
      const [next, keys] = await master.scan(cursor, 'MATCH', match, 'COUNT', 1_000);
      cursor = next;
      found.push(...keys);
    } while (cursor !== '0');
  }
  return found;
}
