import type { TiersOptions } from '@tierkit/cache';
import { TierkitError } from '@tierkit/core';
import type { KitLocksOptions } from './parts/locks.ts';
import { checkRedis, type RedisInput } from '@tierkit/redis';

export interface TierkitOptions extends Omit<TiersOptions, 'redis'> {
  /**
   * Where values are kept: a URL, the options of `createRedis`, an ioredis client; or by name without Redis: `memory`
   * (also `locmem`) keeps them in this process, `null` (also `dummy`) makes every read a miss. There is no default:
   * `undefined` throws, so that a forgotten variable never means one cache per process.
   */
  readonly redis: RedisInput;
  /** A Redis that evicts nothing, for quotas and locks; connected to when the first is made. @default that of `redis` */
  readonly durableRedis?: RedisInput;
  /** Defaults of `kit.locks`: `ttl`, `timeout`, what `inspect` calls this instance, or a `quorum` to keep them on. */
  readonly locks?: KitLocksOptions;
}

const known: Readonly<Record<keyof TierkitOptions, true>> = {
  redis: true,
  durableRedis: true,
  locks: true,
  prefix: true,
  tiers: true,
  defaultTtl: true,
  l1: true,
  feedTimeout: true,
  maxValueBytes: true,
  memory: true,
  cascade: true,
  load: true,
  reclaim: true,
  compression: true,
  encryption: true,
  logger: true,
  logging: true,
  clock: true,
  telemetry: true,
};

/** @throws {TierkitError} `ERR_TIERKIT_OPTIONS` naming every fault; what the parts check themselves is left to them. */
export function checkOptions(options: TierkitOptions): void {
  if (typeof options !== 'object' || options === null) {
    throw new TierkitError('ERR_TIERKIT_OPTIONS', "an options object is needed, such as { redis: 'memory' }");
  }
  const faults = Object.keys(options)
    .filter((name) => !Object.hasOwn(known, name))
    .map((name) => `${name} is not an option`);
  const redis: unknown = options.redis;
  if (redis === undefined || redis === null || redis === '') {
    faults.push("redis must be a URL, options, a client, or 'memory' where one process is all there is");
  } else if (redis === 'redis') {
    faults.push("redis must say where: a URL such as 'redis://localhost:6379'");
  }
  if (options.durableRedis !== undefined) {
    try {
      checkRedis(options.durableRedis);
    } catch (error) {
      faults.push(`durableRedis: ${error instanceof Error ? error.message : 'it cannot be used'}`);
    }
  }
  if (faults.length > 0) throw new TierkitError('ERR_TIERKIT_OPTIONS', faults.join('; '), { details: { faults } });
}

const withoutRedis = { memory: 'memory', locmem: 'memory', null: 'null', dummy: 'null' } as const;

/** The backend that a name stands for; undefined for what is no name. */
export function backendNamed(redis: RedisInput): 'memory' | 'null' | undefined {
  if (typeof redis !== 'string' || !Object.hasOwn(withoutRedis, redis)) return undefined;
  return withoutRedis[redis as keyof typeof withoutRedis];
}
