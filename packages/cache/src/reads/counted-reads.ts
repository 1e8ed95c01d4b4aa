import type { ScopeState } from '../scope-state.ts';
import type { StoredEntry } from '../stores/store.ts';

/** Counts a read that the first level answered. */
export function hitLevel1(state: ScopeState, name: string): void {
  const { stats, engine, address } = state;
  if (++stats.l1Hits >= stats.sampleAt) engine.topKeys.sampleHit(stats, address, name);
}

/** Counts a read that the second level answered. */
export function countLevel2Hit({ stats, engine, address }: ScopeState, name: string): void {
  stats.l2Hits++;
  engine.accessLog?.hit(address, name, 'l2');
}

/** Counts a read that neither level could answer with something fresh. */
export function countMiss({ stats, engine, address }: ScopeState, name: string): void {
  stats.misses++;
  engine.accessLog?.miss(address, name);
}

/** Counts a read that the first level answered because the second could not be asked. */
export function countStale({ stats, engine, address }: ScopeState, name: string): void {
  stats.misses++;
  stats.staleServed++;
  engine.accessLog?.hit(address, name, 'stale');
}

/** Counts a read command that failed. */
export function notRead({ engine, stats, timers, address }: ScopeState, error: unknown): void {
  stats.errors++;
  timers?.telemetry.noteError?.(error);
  engine.troubles.failed(address.tier, 'read', error);
  engine.logger.debug({ tier: address.tier, error: String(error) }, 'cache read failed');
}

/** The same for some of many names, of which several may have been in one command. */
export function countFailed(state: ScopeState, failed: ReadonlyMap<string, unknown>): void {
  for (const error of new Set(failed.values())) notRead(state, error);
}

/** Counts what came from the store. */
export function countBytes({ stats }: ScopeState, stored: StoredEntry): void {
  stats.bytesRead += stored.payload.length;
}
