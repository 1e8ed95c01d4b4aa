import type { Clock, Duration, KeyDisclosure, KeyringOptions, Logger, Telemetry } from '@tierkit/core';
import { LONGEST_TIMER_MS, parseDuration, TierkitError } from '@tierkit/core';
import type { RedisConnection, RedisInput } from '@tierkit/redis';
import type { StalenessOptions } from './loads/load-policy.ts';

/** A URL, options, a client or a connection; `'memory'` keeps everything in this process, `'null'` keeps nothing. */
export type CacheBackend = RedisInput | RedisConnection;

export interface CacheOptions {
  /** Where the second level is. A connection that was made elsewhere is not closed with the cache. */
  readonly redis: CacheBackend;
  /**
   * A Redis that evicts nothing, for what is written behind. With the backends `'memory'` and `'null'` that is in this process
   * all the same. @default the one of `redis`
   */
  readonly durableRedis?: RedisInput | RedisConnection;
  /** Goes before every key and channel: letters, digits and `_ . : -`. @default '' */
  readonly prefix?: string;
  /** The bounds of the in-process level, or false for none. */
  readonly l1?: false | Level1Settings;
  /** The longest that Redis may be silent before L1 is no longer trusted. @default '3s' */
  readonly feedTimeout?: Duration;
  /** The largest encoded value in bytes. @default 8 MiB */
  readonly maxValueBytes?: number;
  /** Bounds of the `'memory'` backend. */
  readonly memory?: { readonly maxEntries?: number; readonly maxBytes?: number };
  /** Tags that are invalidated along with a tag, and with those what they imply in turn. @default none */
  readonly cascade?: Readonly<Record<string, readonly string[]>>;
  /** How processes share a load. */
  readonly load?: LoadSettings;
  /** How long cleared entries wait for the pass that frees them, or false to let them expire. @default '5s' */
  readonly reclaim?: false | Duration;
  /** Compresses large values in Redis, which all processes read, whatever they have here. @default false */
  readonly compression?: false | CompressionSettings;
  /** The keys for sensitive values, by id, each 32 bytes or their base64; `current` encrypts, all of them decrypt. */
  readonly encryption?: KeyringOptions;
  readonly logger?: Logger;
  /** What the logger is told. */
  readonly logging?: LoggingSettings;
  readonly clock?: Clock;
  /** Who is told numbers, durations and traces: one or several of `@tierkit/telemetry`. @default nobody */
  readonly telemetry?: Telemetry | readonly Telemetry[];
}

export interface Level1Settings {
  /** @default 10_000 */
  readonly maxEntries?: number;
  /** Encoded sizes plus a constant for each entry. One entry may take an eighth. @default 64 MiB */
  readonly maxBytes?: number;
  /** The longest that an entry is served without asking Redis again. @default what it has left in Redis */
  readonly ttl?: Duration;
}

export interface LoadSettings {
  /** A loading process that is silent for this long is replaced. @default '3s' */
  readonly lease?: Duration;
  /** The longest wait for another process's load; after it the caller loads for itself. @default '30s' */
  readonly waitTimeout?: Duration;
  /**
   * After a load of a key failed, nobody loads it again for 100 ms, which doubles with each failure up to this; false
   * for no such time. @default '2s'
   */
  readonly failureBackoff?: Duration | false;
  /** Loads that nobody waits for, at the most; a refresh beyond them does not begin. @default 100 */
  readonly maxBackground?: number;
}

export interface LoggingSettings {
  /** Says every hit, miss, stored entry and invalidation at debug; each costs a call of the logger. @default false */
  readonly accesses?: boolean;
  /** How keys, ids of scopes, tags and patterns appear. @default 'plain' */
  readonly keys?: KeyDisclosure;
}

export interface CompressionSettings {
  /** Encoded values of at least as many bytes are compressed, if that saves an eighth. @default 4096 */
  readonly threshold?: number;
}

/** Of a tier: what its entries and calls have that say nothing else. */
export interface TierOptions extends StalenessOptions {
  /** Time to live of entries that are stored without one. */
  readonly ttl: Duration;
  /** Encrypts every value in Redis, and reads none that is not encrypted; it needs `encryption`. @default false */
  readonly sensitive?: boolean;
}

/** A Map takes no more, and its list is laid out when it is made. */
export const MOST_ENTRIES = 2 ** 24 - 1;

export function positiveInteger(
  value: number | undefined,
  fallback: number,
  option: string,
  most: number = Number.MAX_SAFE_INTEGER,
): number {
  if (value === undefined) return fallback;
  if (Number.isSafeInteger(value) && value > 0 && value <= most) return value;
  const rule = `takes a whole number above 0${most === Number.MAX_SAFE_INTEGER ? '' : `, ${most} at most`}`;
  throw new TierkitError('ERR_CACHE_OPTIONS', `${option} ${rule}`, { details: { option } });
}

export function durationMs(value: Duration | undefined, fallbackMs: number, option: string): number {
  return value === undefined ? fallbackMs : Math.ceil(parseDuration(value, option));
}

/** As {@link durationMs} for what a timer waits for: Node fires one that is set for longer at once. */
export function timerMs(value: Duration | undefined, fallbackMs: number, option: string): number {
  return value === undefined ? fallbackMs : parseDuration(value, option, { maxMs: LONGEST_TIMER_MS });
}
