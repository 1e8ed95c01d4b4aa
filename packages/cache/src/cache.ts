import { type Duration } from '@tierkit/core';
import { checkCacheOptions } from './check-options.ts';
import type { StalenessOptions } from './loads/load-policy.ts';
import type { CacheOptions } from './options.ts';
import type { Scope } from './scope.ts';
import { openTiers, type CacheStats, type Tiers } from './tiers.ts';

export interface SingleCacheOptions extends CacheOptions, StalenessOptions {
  /** Time to live of entries that are stored without one. @default '5m' */
  readonly ttl?: Duration;
  /** Encrypts every value in Redis, and reads none that is not encrypted; it needs `encryption`. @default false */
  readonly sensitive?: boolean;
}

/** One cache without tiers: its keys lie at the root, behind the prefix. */
export interface Cache extends Pick<Scope, keyof Scope> {
  readonly schedule: Tiers['schedule'];
  /** A queue for `writeBehind` and `deleteBehind`. @see Tiers.writeBehind */
  readonly writeBehindQueue: Tiers['writeBehind'];
  ready(timeout?: Duration): Promise<void>;
  stats(): CacheStats;
  readonly topKeys: Tiers['topKeys'];
  close(): Promise<void>;
}

/** A cache for those who need no tiers; all of `Scope`'s methods are its own. */
export function createCache(options: SingleCacheOptions): Cache {
  checkCacheOptions(options);
  const tiers = openTiers({ ...options, tiers: { global: { ...options, ttl: options.ttl ?? '5m' } } });
  const scope = tiers.global;
  return {
    get: scope.get.bind<Scope['get']>(scope),
    peek: scope.peek.bind(scope),
    getOrSet: scope.getOrSet.bind(scope),
    getMany: scope.getMany.bind(scope),
    getOrSetMany: scope.getOrSetMany.bind(scope),
    getOrSetEach: scope.getOrSetEach.bind(scope),
    content: scope.content.bind(scope),
    warm: scope.warm.bind<Scope['warm']>(scope),
    writeThrough: scope.writeThrough.bind(scope),
    updateThrough: scope.updateThrough.bind(scope),
    writeBehind: scope.writeBehind.bind(scope),
    deleteBehind: scope.deleteBehind.bind(scope),
    writeBehindQueue: (name, given) => tiers.writeBehind(name, given),
    set: scope.set.bind(scope),
    setMany: scope.setMany.bind(scope),
    delete: scope.delete.bind(scope),
    deleteMany: scope.deleteMany.bind(scope),
    doubt: scope.doubt.bind(scope),
    has: scope.has.bind(scope),
    ttl: scope.ttl.bind(scope),
    invalidateTags: scope.invalidateTags.bind(scope),
    clear: scope.clear.bind(scope),
    deleteByPattern: scope.deleteByPattern.bind(scope),
    keys: scope.keys.bind(scope),
    countedAs: scope.countedAs.bind(scope),
    define: scope.define.bind<Scope['define']>(scope),
    schedule: tiers.schedule.bind(tiers),
    ready: (timeout) => tiers.ready(timeout),
    stats: () => tiers.stats(),
    topKeys: (options) => tiers.topKeys(options),
    close: () => tiers.close(),
  };
}
