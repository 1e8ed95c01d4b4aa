import type { Clock, Duration, Logger } from '@tierkit/core';
import type { RedisInput } from '@tierkit/redis';

export interface TierOptions {
  /** How long what a tier stores lives, unless a call says otherwise. @default by the tier, see `TierkitOptions.tiers` */
  readonly ttl?: Duration | undefined;
}

/** The in-process level of one instance, shared by all tiers. */
export interface L1Options {
  readonly maxEntries?: number | undefined;
  readonly maxBytes?: number | undefined;
  /** The longest that an entry is served without asking Redis. */
  readonly ttl?: Duration | undefined;
}

export interface TierkitOptions {
  /**
   * Where values are kept: a URL, the options of `createRedis`, an ioredis client; or by name without Redis: `memory`
   * (also `locmem`) keeps them in this process, `null` (also `dummy`) makes every read a miss. There is no default:
   * `undefined` throws, so that a forgotten variable never means one cache per process.
   */
  readonly redis: RedisInput;
  /** A Redis that evicts nothing, for the parts whose data must last; none exists yet, so it is not connected to. */
  readonly durableRedis?: RedisInput | undefined;
  /** Goes before every key and channel; letters, digits and `_ . : -`. @default '' */
  readonly prefix?: string | undefined;
  /** The built-in tiers and own ones. @default session 5 minutes, project 1 hour, global 24 hours */
  readonly tiers?: Readonly<Record<string, TierOptions>> | undefined;
  /** Time to live of tiers that state none, built-in ones included. @default that of each tier */
  readonly defaultTtl?: Duration | undefined;
  /** @default on, with the limits that `@tierkit/cache` documents */
  readonly l1?: false | L1Options | undefined;
  /** How other instances' changes are learnt of. @default 'pubsub' */
  readonly coherence?: 'pubsub' | false | undefined;
  /** Silence after which invalidations may have been missed. @default 3 seconds */
  readonly feedTimeout?: Duration | undefined;
  /** Encoded values above this are refused. @default that of `@tierkit/cache` */
  readonly maxValueBytes?: number | undefined;
  /** @default silent */
  readonly logger?: Logger | undefined;
  /** Time for the memory backend and the in-process level. @default the system's */
  readonly clock?: Clock | undefined;
}
