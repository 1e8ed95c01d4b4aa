export type { BatchAnswers, LoadBatch } from './loads/batch-load.ts';
export { createCache, type Cache, type SingleCacheOptions } from './cache.ts';
export { cached, type CachedFunction, type CachedOptions, type CachePlace } from './wrappers/cached.ts';
export { callKey } from './wrappers/call-key.ts';
export type { DefineInTier, TierEntryDefinition, TierSchemaEntryDefinition } from './wrappers/define-in-tier.ts';
export type { Entry, EntryDefinition, LoadMany, SchemaEntryDefinition } from './wrappers/define.ts';
export type { ContentCache, ContentOptions } from './wrappers/content-cache.ts';
export { normaliseLines, type Content, type Normalise } from './wrappers/content-hash.ts';
export type { CacheErrorCode } from './errors.ts';
export type { CacheChange } from './inspection/cache-change.ts';
export type {
  EntryPlace,
  InspectedEntry,
  Inspection,
  KeyPage,
  KeyPlace,
  ListedKey,
  ListKeysOptions,
  UsageReport,
} from './inspection/inspection.ts';
export type { StalenessOptions } from './loads/load-policy.ts';
export type {
  LoadedAbsent,
  LoadedOptions,
  LoadedType,
  LoadedUnchanged,
  LoadedWith,
  LoaderContext,
} from './loads/loader-context.ts';
export type {
  CacheBackend,
  CacheOptions,
  CompressionSettings,
  Level1Settings,
  LoadSettings,
  LoggingSettings,
  TierOptions,
} from './options.ts';
export { invalidates, type InvalidatesOptions } from './wrappers/invalidates.ts';
export type { MethodDecorator } from './wrappers/method-decorator.ts';
export type { IndexOptions, Repository, RepositoryOptions, RepositorySource } from './repository/repository-options.ts';
export type { MethodStats, RepositoryStats } from './repository/repository-stats.ts';
export { repository } from './repository/repository.ts';
export type { Loaded, ScopeMethods } from './scope-methods.ts';
export type { Scope } from './scope.ts';
export type { ConfirmOptions, LoadOptions, WriteOptions } from './scope-options.ts';
export type { PrefetchCounts, PrefetchOptions } from './warming/prefetch.ts';
export type { Schedule, ScheduleOptions } from './warming/schedules.ts';
export type { CacheCounters, CacheFigures, TierStats } from './stats.ts';
export { createTiers, type CacheStats, type Tier, type Tiers, type TiersOptions } from './tiers.ts';
export type { TopKey } from './top-keys.ts';
export type { HitHistory, MinuteFigures, NamedHistory } from './usage/hit-history.ts';
export type { CostlyKey, UnreadKey } from './usage/key-usage.ts';
export type { Wrappers } from './wrappers/wrappers.ts';
export type { WarmKeysOptions, WarmOptions, WarmProgress, WarmResult, WarmSource } from './warming/warm.ts';
export type { DeadLetter, Replayed, ReplayOptions } from './write-behind/dead-letters.ts';
export type { FlushContext, WriteBehindItem, WriteBehindOptions } from './write-behind/options.ts';
export type { WriteBehindQueue, WriteBehindStatus } from './write-behind/queue.ts';
export type { UpdateThrough, WriteThrough } from './writes/write-through.ts';
export type { PatternDeletion } from './writes/writes.ts';
