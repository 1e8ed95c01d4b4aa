import {
  createTiers,
  type CacheStats,
  type ConfirmOptions,
  type Scope,
  type Tier,
  type TierOptions,
  type Tiers,
  type Wrappers,
} from '@tierkit/cache';
import type { Bus, BusStream, Channels } from '@tierkit/bus';
import { systemClock, type Duration } from '@tierkit/core';
import type { Locks } from '@tierkit/lock';
import type { MetricDefinitions, OnUnavailable, PlanOf, Quota } from '@tierkit/quota';
import type { Guard, Limiter, Policy } from '@tierkit/rate-limit';
import {
  createRedis,
  redisInput,
  describeServer,
  type RedisConnection,
  type RedisStatus,
  type ServerInfo,
  type Topology,
} from '@tierkit/redis';
import { kitHealth, type TierkitHealth } from './health.ts';
import { Presence, type InstanceInfo } from './presence/presence.ts';
import { backendNamed, checkOptions, type TierkitOptions } from './options.ts';
import { Buses, type KitBusOptions, type KitChannels } from './parts/buses.ts';
import { DurableRedis } from './parts/durable-redis.ts';
import { Limiters, type KitGuardOptions, type KitLimiterOptions } from './parts/limiters.ts';
import { Quotas, type KitQuotaOptions, type NamedQuota } from './parts/quotas.ts';
import { writtenBehindOn } from './parts/write-behind.ts';
import { KitLocks } from './parts/locks.ts';

/** What a kit runs on; it holds no password and no URL. */
export interface TierkitInfo {
  readonly backend: CacheStats['backend'];
  readonly prefix: string;
  /** Absent without Redis. */
  readonly redis?: { readonly topology: Topology; readonly db: number; readonly status: RedisStatus };
}

export interface Tierkit extends Wrappers, Pick<Tiers, 'schedule' | 'topKeys' | 'inspection' | 'writeBehind'> {
  /** What one user session needs, 5 minutes by default. */
  readonly session: Tier;
  /** What belongs to one project, 1 hour by default. */
  readonly project: Tier;
  /** What everybody shares, 24 hours by default. */
  readonly global: Scope;
  /**
   * A tier, by name: one of your own, or a built-in one. Its time to live comes from `tiers` of the kit, hence from the
   * environment, else from the first call that states one, else from `defaultTtl`, else from what is built in.
   *
   * @throws {TierkitError} `ERR_CACHE_OPTIONS`: the name is none, no time to live is known, an earlier call stated
   *   something else, or it is to be sensitive and the kit has no keys or says otherwise in `tiers`.
   */
  tier(name: string, options?: TierOptions): Tier;
  /**
   * Ends all entries of all tiers that have one of the tags: one round trip, whatever their number.
   *
   * @returns whether Redis confirmed @throws {TierkitError} `ERR_CACHE_TAGS`
   */
  invalidateTags(tags: readonly string[], options?: ConfirmOptions): Promise<boolean>;
  /**
   * A limiter over policies of `@tierkit/rate-limit`, counted on `redis`, in this process where the kit has none. It ends with
   * the kit.
   *
   * @throws {TierkitError} `ERR_LIMIT_OPTIONS`
   */
  rateLimit<const Name extends string, const Plan extends string = never>(
    name: string,
    policies: readonly Policy<Name>[],
    options?: KitLimiterOptions<Name, Plan>,
  ): Limiter<Name, Plan>;
  /** A guard against brute force, see `@tierkit/rate-limit`. It ends with the kit. @throws {TierkitError} `ERR_LIMIT_OPTIONS` */
  guard(name: string, options?: KitGuardOptions): Guard;
  /**
   * Locks across processes on `durableRedis`, see `@tierkit/lock`; they end with the kit.
   *
   * @throws {TierkitError} `ERR_LOCK_OPTIONS`, `ERR_DURATION_INVALID`; `ERR_TIERKIT_OPTIONS`: the kit keeps nothing
   */
  readonly locks: Locks;
  /**
   * What users may use by day, month or any period, counted on `durableRedis`, see `@tierkit/quota`. It ends with the kit.
   *
   * @throws {TierkitError} `ERR_QUOTA_OPTIONS`; `ERR_TIERKIT_OPTIONS`: the kit keeps nothing
   */
  quota<const M extends MetricDefinitions<Plan>, Plan = never, Away extends OnUnavailable = 'refuse'>(
    metrics: M,
    options?: KitQuotaOptions<Plan, Away>,
  ): Quota<M, PlanOf<M, Plan>, Away>;
  /**
   * Typed events between instances, see `@tierkit/bus`; durable ones are kept on `durableRedis`. It ends with the kit.
   *
   * Every bus has `system:cache_invalidation` besides: what this instance hears of changes in the cache, which costs
   * nothing while nobody subscribes.
   *
   * @throws {TierkitError} `ERR_BUS_OPTIONS`, `ERR_BUS_CHANNEL`; `ERR_TIERKIT_OPTIONS`: durable channels in a kit that keeps nothing
   */
  bus<const C extends Channels>(channels: C, options?: KitBusOptions): Bus<KitChannels<C>>;
  /**
   * Resolves once Redis answers, `durableRedis` too, and changes elsewhere are heard of; at once without Redis.
   *
   * @param timeout How long to wait. @default 5 seconds
   * @throws {TierkitError} `ERR_REDIS_UNAVAILABLE`: not in time. The kit works all the same, and connects later.
   */
  ready(timeout?: Duration): Promise<void>;
  stats(): CacheStats;
  /** Asks Redis for a sign of life; never rejects. @param timeout How long to wait. @default 1 second */
  health(timeout?: Duration): Promise<TierkitHealth>;
  info(): TierkitInfo;
  /**
   * What Redis's masters say of themselves: memory, clients, keys; undefined without Redis.
   *
   * @throws {TierkitError} `ERR_REDIS_UNAVAILABLE`, `ERR_REDIS_TIMEOUT`, `ERR_REDIS_REPLY`
   */
  server(): Promise<ServerInfo | undefined>;
  /**
   * The kits that are alive on the same Redis, database and prefix, 1,000 at the most; in memory this one alone. One that
   * dies is listed for 15 seconds more.
   *
   * @throws {TierkitError} `ERR_REDIS_UNAVAILABLE`, `ERR_REDIS_TIMEOUT`, `ERR_REDIS_REPLY`
   */
  instances(): Promise<readonly InstanceInfo[]>;
  /** The limiters that were made here, for operators: each can be peeked at, blocked and reset. */
  limiters(): readonly Limiter[];
  /** The durable channels of the buses that are open here, for operators: their groups and dead letters. */
  streams(): readonly BusStream[];
  /** The quotas that were made by this kit, by name, to look at what a subject used. */
  quotas(): readonly NamedQuota[];
  /**
   * Ends connections and timers, in about a second at most with Redis frozen, and never rejects. It may be called again.
   * Write-behind queues with something to flush are given their `drainTimeout` before that.
   */
  close(): Promise<void>;
}

/**
 * Cache tiers on one connection. It returns at once and connects in the background; a Redis that is away delays nothing.
 *
 * @throws {TierkitError} `ERR_TIERKIT_OPTIONS`, `ERR_REDIS_OPTIONS`, `ERR_CACHE_OPTIONS` or `ERR_DURATION_INVALID`, and
 * nothing is left open.
 */
export function createTierkit(options: TierkitOptions): Tierkit {
  checkOptions(options);
  const { redis: input, durableRedis, locks: _locks, ...rest } = options;
  const named = backendNamed(input);
  const redis = named === undefined ? createRedis(redisInput(input, options)) : undefined;
  const durable = new DurableRedis({ redis, given: durableRedis, backend: named ?? 'redis', options });
  try {
    const tiers = createTiers({ ...rest, ...writtenBehindOn(durable, redis), redis: redis ?? named ?? 'null' });
    return wire(tiers, redis, durable, options);
  } catch (error) {
    void durable.close();
    void redis?.close();
    throw error;
  }
}

function wire(
  tiers: Tiers,
  redis: RedisConnection | undefined,
  durable: DurableRedis,
  options: TierkitOptions,
): Tierkit {
  const quotas = new Quotas(durable, options);
  const buses = new Buses(redis, durable, tiers, options);
  const limiters = new Limiters(redis, options);
  const locks = new KitLocks(durable, options);
  const configured = options.tiers ?? {};
  const { prefix = '', clock = systemClock, logger } = options;
  const presence = new Presence({ redis, prefix, clock, logger, stats: () => tiers.stats() });
  let closing: Promise<void> | undefined;
  return {
    session: tiers.session,
    project: tiers.project,
    global: tiers.global,
    tier(name, given) {
      const here = own(configured, name);
      if (here === undefined) return tiers.tier(name, given);
      // A time to live that differs gives way, but nobody who asks for encryption may get a tier without it.
      return tiers.tier(name, given?.sensitive === true ? { ...here, sensitive: true } : undefined);
    },
    cached: tiers.cached,
    invalidates: tiers.invalidates,
    invalidateTags: (tags, given) => tiers.invalidateTags(tags, given),
    schedule: (name, every, task) => tiers.schedule(name, every, task),
    // As with tiers, what the deployment says of an entity goes before what the code says.
    repository: (source, given) => tiers.repository(source, { ...given, ...own(configured, given.entity) }),
    rateLimit: (name, policies, given) => limiters.create(name, policies, given),
    guard: (name, given) => limiters.guard(name, given),
    get locks() {
      return locks.get();
    },
    quota: (metrics, given) => quotas.create(metrics, given),
    bus: (channels, given) => buses.create(channels, given),
    writeBehind: (name, given) => tiers.writeBehind(name, given),
    ready: (timeout = 5_000) => tiers.ready(timeout),
    stats: () => tiers.stats(),
    topKeys: (given) => tiers.topKeys(given),
    health: (timeout = 1_000) => kitHealth(redis, () => tiers.stats(), timeout),
    info: () => ({
      backend: tiers.stats().backend,
      prefix: options.prefix ?? '',
      ...(redis === undefined ? {} : { redis: { topology: redis.topology, db: redis.db, status: redis.status } }),
    }),
    server: async () => (redis === undefined ? undefined : describeServer(redis)),
    inspection: tiers.inspection,
    instances: () => presence.list(),
    limiters: () => limiters.list(),
    streams: () => buses.list(),
    quotas: () => quotas.list(),
    close() {
      const parts = [tiers, limiters, quotas, buses, locks, presence];
      closing ??= closeAll(parts, redis === undefined ? [durable] : [durable, redis]);
      return closing;
    },
  };
}

function own<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

/** The parts first, then the connections that they share. */
async function closeAll(parts: readonly Closing[], connections: readonly Closing[]): Promise<void> {
  await Promise.all(parts.map((part) => part.close()));
  await Promise.all(connections.map((connection) => connection.close()));
}

interface Closing {
  close(): Promise<void>;
}
