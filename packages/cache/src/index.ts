export { createCache, type Cache, type SingleCacheOptions } from './cache.ts';
export type { CacheErrorCode } from './errors.ts';
export type {
  CacheBackend,
  CacheOptions,
  CompressionSettings,
  Level1Settings,
  LoadSettings,
  TierOptions,
} from './options.ts';
export type { ConfirmOptions, LoadOptions, Scope, WriteOptions } from './scope.ts';
export type { TierStats } from './stats.ts';
export { createTiers, type CacheStats, type Tier, type Tiers, type TiersOptions } from './tiers.ts';
export type { PatternDeletion } from './writes.ts';
