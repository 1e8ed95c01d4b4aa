export type { BatchAnswers, LoadBatch } from './batch-load.ts';
export { createCache, type Cache, type SingleCacheOptions } from './cache.ts';
export { cached, type CachedFunction, type CachedOptions, type CachePlace } from './cached.ts';
export { callKey } from './call-key.ts';
export type { DefineInTier, TierEntryDefinition, TierSchemaEntryDefinition } from './define-in-tier.ts';
export type { Entry, EntryDefinition, LoadMany, SchemaEntryDefinition } from './define.ts';
export type { ContentCache, ContentOptions } from './content-cache.ts';
export { normaliseLines, type Content, type Normalise } from './content-hash.ts';
export type { CacheErrorCode } from './errors.ts';
export type { StalenessOptions } from './load-policy.ts';
export type {
  LoadedAbsent,
  LoadedOptions,
  LoadedType,
  LoadedUnchanged,
  LoadedWith,
  LoaderContext,
} from './loader-context.ts';
export type {
  CacheBackend,
  CacheOptions,
  CompressionSettings,
  Level1Settings,
  LoadSettings,
  TierOptions,
} from './options.ts';
export { invalidates, type InvalidatesOptions } from './invalidates.ts';
export type { MethodDecorator } from './method-decorator.ts';
export type { IndexOptions, Repository, RepositoryOptions, RepositorySource } from './repository-options.ts';
export type { MethodStats, RepositoryStats } from './repository-stats.ts';
export { repository } from './repository.ts';
export type { Loaded, ScopeMethods } from './scope-methods.ts';
export type { ConfirmOptions, LoadOptions, Scope, WriteOptions } from './scope.ts';
export type { PrefetchCounts, PrefetchOptions } from './prefetch.ts';
export type { Schedule, ScheduleOptions } from './schedules.ts';
export type { TierStats } from './stats.ts';
export { createTiers, type CacheStats, type Tier, type Tiers, type TiersOptions } from './tiers.ts';
export type { Wrappers } from './wrappers.ts';
export type { WarmKeysOptions, WarmOptions, WarmProgress, WarmResult, WarmSource } from './warm.ts';
export type { UpdateThrough, WriteThrough } from './write-through.ts';
export type { PatternDeletion } from './writes.ts';
