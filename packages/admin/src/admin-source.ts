import type { CacheStats, ConfirmOptions, Inspection, PatternDeletion, TopKey } from '@tierkit/cache';
import type { AdminParts } from './admin-parts.ts';
import type { RedisHealth, ServerInfo } from '@tierkit/redis';

/** What the cache routes ask: a kit has it all, and so has anything that is put together from the packages. */
export interface CacheSource {
  readonly inspection: Inspection;
  readonly global: CacheScope;
  tier(name: string): (id: string) => CacheScope;
  stats(): CacheStats;
  topKeys(options: { readonly limit: number }): readonly TopKey[];
  invalidateTags(tags: readonly string[], options?: ConfirmOptions): Promise<boolean>;
}

/** The methods of a scope that are used. */
export interface CacheScope {
  clear(): Promise<boolean>;
  deleteByPattern(pattern: string, options: { readonly dryRun: boolean }): Promise<PatternDeletion>;
  invalidateTags(tags: readonly string[]): Promise<boolean>;
}

/** What the health routes ask. */
export interface HealthSource {
  /** Asks for a sign of life within a bounded time, and never rejects. */
  health(): Promise<{
    readonly status: 'up' | 'degraded' | 'down';
    readonly backend: string;
    readonly latencyMs: number;
    /** Absent without Redis. */
    readonly redis?: RedisHealth;
  }>;
  info(): { readonly backend: string; readonly prefix: string };
  /** What the servers say of themselves; undefined without Redis. May reject when Redis is away. */
  server(): Promise<ServerInfo | undefined>;
}

/** Who is alive. */
export interface InstancesSource {
  instances(): Promise<readonly Instance[]>;
}

export interface Instance {
  readonly id: string;
  readonly own: boolean;
  readonly host: string;
  readonly pid: number;
  readonly startedMs: number;
  readonly ageMs: number;
  readonly coherent: boolean;
  readonly hits: number;
  readonly misses: number;
  readonly l1: { readonly entries: number; readonly bytes: number };
}

/** What an admin is made for: `createTierkit` returns one. */
export interface AdminSource extends CacheSource, HealthSource, InstancesSource, AdminParts {}
