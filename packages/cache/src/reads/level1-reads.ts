import { freezeDeep } from '@tierkit/core';
import type { Level1Entry } from '../level1/level1.ts';
import type { LoadedValue, ScopeState } from '../scope-state.ts';
import type { Found } from './found.ts';

/** The first level's answer, if it has one that may be served without asking anybody. */
export function readLevel1(state: ScopeState, name: string, nowMs: number): Found {
  const entry = trusted(state, name, nowMs);
  return entry && decodeEntry(state, entry);
}

/** How long the first level's entry stays fresh, once it is due to be refreshed; undefined before, and without one. */
export function refreshDueMs(state: ScopeState, name: string, nowMs: number): number | undefined {
  const entry = trusted(state, name, nowMs);
  return entry !== undefined && nowMs >= entry.freshUntilMs ? entry.ttlEndMs - nowMs : undefined;
}

function trusted(state: ScopeState, name: string, nowMs: number): Level1Entry | undefined {
  const entry = state.level1.find(name);
  if (entry === undefined || entry.epoch !== state.engine.level1?.epoch || nowMs >= entry.askAgainMs) return undefined;
  return entry.tags === undefined || entry.tags.current ? entry : undefined;
}

/**
 * What the first level has for a name that cannot be revalidated: entries from before the feed was lost, and those that
 * were to be revalidated, up to the end of their time to live and grace. A local change ends them, so they are never
 * older than what this instance did.
 */
export function readSuspect(state: ScopeState, name: string): Found {
  const { engine } = state;
  const entry = state.level1.find(name);
  const usable = entry !== undefined && entry.tags?.ended !== true && engine.clock.monotonic() < entry.expiresAtMs;
  return usable ? decodeEntry(state, entry) : undefined;
}

/** An entry from a local write is decoded at its first read. */
export function decodeEntry(state: ScopeState, entry: Level1Entry): LoadedValue {
  entry.hit = true;
  if (entry.payload !== undefined) {
    entry.value = state.engine.codec.decode(entry.payload);
    entry.shareable = freezeDeep(entry.value);
    entry.payload = undefined;
  }
  return entry;
}
