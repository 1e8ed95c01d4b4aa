import { freezeDeep } from '@tierkit/core';
import { withinRedisDeadline } from '../loads/redis-deadline.ts';
import type { ScopeState } from '../scope-state.ts';
import { countLevel2Hit, notRead } from './counted-reads.ts';
import type { Found } from './found.ts';
import { decode, open } from './stored-values.ts';

/**
 * What was written behind and is pending, for a name that the second level lacks; a pending deletion is a known absence.
 * The first level does not keep it, since it ends when it is flushed, which nobody is told.
 *
 * @param away whether the second level could not be asked
 */
export async function readPending(state: ScopeState, name: string, away: boolean): Promise<Found> {
  const found = await findPending(state, [name], away);
  if (found?.[0] !== undefined) countLevel2Hit(state, name);
  return found?.[0];
}

/** As `readPending` for several names, not counted; undefined when nobody need be asked. */
export async function findPending(
  state: ScopeState,
  names: readonly string[],
  away: boolean,
): Promise<Found[] | undefined> {
  const { behind, clock } = state.engine;
  if (names.length === 0 || !behind.concerns(state.address, away)) return undefined;
  try {
    const finding = behind.find(state.address, names);
    const entries = await withinRedisDeadline(finding, state.policy.redisTimeoutMs, clock);
    return entries.map((entry) => {
      if (entry === undefined || entry === 'deleted') return entry && { value: undefined, shareable: true };
      const payload = open(state, entry);
      const value = payload && decode(state, entry, payload);
      return value === undefined ? undefined : { value, shareable: freezeDeep(value) };
    });
  } catch (error) {
    notRead(state, error);
    return undefined;
  }
}

/** Puts in what is pending of what was not found. */
export async function addPending(
  state: ScopeState,
  names: readonly string[],
  found: Found[],
  failed: Map<string, unknown>,
): Promise<void> {
  const missing = [...names.keys()].filter((index) => found[index] === undefined);
  const asked = missing.map((index) => names[index] ?? '');
  const pending = await findPending(state, asked, failed.size > 0);
  for (const [at, index] of missing.entries()) {
    if (pending?.[at] === undefined) continue;
    found[index] = pending[at];
    failed.delete(names[index] ?? '');
  }
}
