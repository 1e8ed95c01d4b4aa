import { freezeDeep, PAYLOAD_ENCRYPTED, TierkitError } from '@tierkit/core';
import type { FillToken } from '../level1/scope-level1.ts';
import type { StaleValue } from '../loads/flight.ts';
import { refreshMarginMs, type LoadPolicy } from '../loads/load-policy.ts';
import type { ScopeState } from '../scope-state.ts';
import type { StoredEntry } from '../stores/store.ts';
import type { Found } from './found.ts';

/** Whether an entry's time to live still runs. Without a grace, Redis itself ends the entry with it. */
export function isFresh(state: ScopeState, stored: StoredEntry): boolean {
  if (stored.freshUntilMs === stored.expiresAtMs) return true;
  return freshForMs(state, stored) > 0;
}

/** Milliseconds until an entry is stale. */
export function freshForMs(state: ScopeState, stored: StoredEntry): number {
  return stored.freshUntilMs - offsetMs(state) - state.engine.clock.monotonic();
}

/** What the store's time is ahead; by the wall clock while the feed, which would tell, is away. */
function offsetMs({ engine }: ScopeState): number {
  return engine.storeOffsetMs() ?? engine.clock.now() - engine.clock.monotonic();
}

/**
 * Decodes a fresh entry of the store and puts it into the first level, if nothing changed since the token was taken.
 *
 * @param policy of the load that several callers share, if it is one
 */
export function accept(state: ScopeState, token: FillToken, stored: StoredEntry, policy?: LoadPolicy): Found {
  const { engine } = state;
  const absent = isAbsence(stored);
  const payload = absent ? stored.payload : open(state, stored);
  if (payload === undefined) return undefined;
  const value = absent ? undefined : decode(state, stored, payload);
  if (value === undefined && !absent) return undefined;
  // Without a first level nobody shares it, and the caller may do with it as it likes.
  if (engine.level1 === undefined && policy === undefined) return { value, shareable: true, own: true };
  const shareable = freezeDeep(value);
  const aheadMs = engine.storeOffsetMs();
  if (engine.level1?.armed === true && aheadMs !== undefined) {
    const wanted = policy ?? state.policy;
    const entry = {
      bytes: payload.length,
      expiresAtMs: stored.expiresAtMs - aheadMs,
      ttlEndMs: stored.freshUntilMs - aheadMs,
      refreshMarginMs: absent ? 0 : refreshMarginMs(wanted.ttlMs, wanted),
      tags: state.level1Tags(stored.tags),
      value,
      shareable,
    };
    state.level1.fill(token, entry, engine.clock.monotonic());
  }
  return { value, shareable };
}

/** Decodes an entry that a load is to replace; undefined when there is none, or only a known absence. */
export function staleValue(state: ScopeState, stored: StoredEntry | undefined): StaleValue | undefined {
  if (stored === undefined || isAbsence(stored)) return undefined;
  const payload = open(state, stored);
  const value = payload && decode(state, stored, payload);
  if (payload === undefined || value === undefined) return undefined;
  const ttlEndMs = stored.freshUntilMs - offsetMs(state);
  const tags = state.level1Tags(stored.tags);
  const encrypted = (stored.flags & PAYLOAD_ENCRYPTED) !== 0;
  const tagNames = stored.tags?.names ?? [];
  return { value, shareable: freezeDeep(value), payload, encrypted, ttlEndMs, tags, tagNames };
}

/** A known absence has nothing to keep secret, so it is the same in a sensitive tier. */
function isAbsence({ flags, payload }: StoredEntry): boolean {
  return flags === 0 && payload.length === 0;
}

/** The encoded value; undefined as well for one whose key this process does not have, which is left alone. */
export function open(state: ScopeState, stored: StoredEntry): Buffer | undefined {
  if (stored.flags === 0 && !state.policy.sensitive) return stored.payload;
  try {
    if (state.policy.sensitive && (stored.flags & PAYLOAD_ENCRYPTED) === 0) {
      throw new TierkitError('ERR_VALUE_CORRUPT', 'a value of a sensitive tier is not encrypted');
    }
    const payload = state.engine.sealer.open(stored, stored.key);
    return payload === 'unknown' ? undefined : payload;
  } catch (error) {
    reportCorrupt(state, stored, error);
    return undefined;
  }
}

export function decode(state: ScopeState, stored: StoredEntry, payload: Buffer): unknown {
  try {
    return state.engine.codec.decode(payload);
  } catch (error) {
    reportCorrupt(state, stored, error);
    return undefined;
  }
}

function reportCorrupt(state: ScopeState, stored: StoredEntry, error: unknown): void {
  const { engine, stats } = state;
  stats.corrupt++;
  engine.logger.warn({ tier: state.address.tier, error: String(error) }, 'an entry cannot be decoded and is removed');
  engine.store.discard(stored).catch(() => stats.errors++);
}
