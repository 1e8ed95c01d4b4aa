import { createBus, durable, ephemeral } from '@tierkit/bus';
import { createTiers, type Tiers } from '@tierkit/cache';
import { createLocks, type Locks } from '@tierkit/lock';
import { createQuota } from '@tierkit/quota';
import { createLimiter, fixedWindow } from '@tierkit/rate-limit';
import { createTierkit, type Tierkit } from 'tierkit';
import { Redis } from 'ioredis';

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

interface RedisOf {
  readonly url: string;
  readonly commandTimeout: '10s';
}

export async function openTenant(server: string, prefix: string, db: number): Promise<Tenant> {
  const url = new URL(server);
  url.pathname = `/${db}`;
  const redis: RedisOf = { url: url.href, commandTimeout: '10s' };
  const kit = createTierkit({ redis, prefix });
  const locks = createLocks({ redis, prefix });
  const limiter = limiterOn(redis, prefix);
  const quota = quotaOn(redis, prefix);
  const bus = busOn(redis, prefix);
  const tiers = createTiers({ redis, prefix });
  const raw = new Redis(url.href);
  await Promise.all([kit, locks, limiter, quota, bus, tiers].map((one) => one.ready('15s')));
  return {
    ...{ prefix, kit, locks, limiter, quota, bus, tiers },
    async stored() {
      const found: Record<string, string> = {};
      let cursor = '0';
      do {
        const [next, keys] = await raw.scan(cursor, 'MATCH', `${prefix}*`, 'COUNT', 1_000);
        cursor = next;
        for (const key of keys) {
          if (/\{tierkit\}(?:instances|behind)/.test(key)) continue;
          found[key] = await raw.getBuffer(key).then(
            (bytes) => bytes?.toString('base64') ?? 'gone',
            () => 'no string',
          );
        }
      } while (cursor !== '0');
      return found;
    },
    async close() {
      raw.disconnect();
      await Promise.all([locks, limiter, quota, bus, tiers].map((one) => one.close()));
      await kit.close();
    },
  };
}
