import { TierkitError, type Sealed } from '@tierkit/core';
import type { NewLevel1Entry } from '../level1/scope-level1.ts';
import { refreshMarginMs } from '../loads/load-policy.ts';
import type { ScopeState } from '../scope-state.ts';
import type { Lifetime } from '../stores/store.ts';
import type { StampedTags } from '../tags/stamped-tags.ts';

/** How long written entries live, and the tags of all of them. */
export interface WritePlan extends Lifetime {
  /** As they are stored. */
  readonly tags: readonly string[];
}

/** A value as the levels take it: encoded for the first, sealed for the second. */
export interface EncodedValue {
  readonly name: string;
  readonly payload: Buffer;
  readonly sealed: Sealed;
}

/**
 * What goes with a step that stores entries: nothing older stays here, nothing that is made up for later undoes it, and the
 * first level has the values afterwards.
 *
 * @param send the step; what it rejects with is passed on, and unless it was refused, the names are remembered and
 *   invalidated when Redis returns
 */
export async function put<R>(
  state: ScopeState,
  entries: readonly EncodedValue[],
  plan: WritePlan,
  send: (tags: StampedTags | undefined, since: number) => Promise<R>,
): Promise<R> {
  const { engine, level1, stats } = state;
  const names = entries.map(nameOf);
  for (const name of names) state.invalidate(name);
  const tokens = level1.level === undefined ? [] : names.map((name) => level1.begin(name));
  const sentMs = engine.clock.monotonic();
  const sent = engine.unconfirmed.moment;
  const since = engine.store.moment;
  let tags: StampedTags | undefined;
  let result: R;
  try {
    if (engine.unconfirmed.size > 0) await engine.unconfirmed.clearTheWay(state.address, names, plan.tags);
    if (plan.tags.length > 0) tags = await engine.tags.stamp(state.address, plan.tags, plan.ttlMs + plan.graceMs);
    result = await send(tags, since);
  } catch (error) {
    for (const name of names) state.invalidate(name);
    for (const token of tokens) level1.end(token);
    if (!wasRefused(error)) engine.unconfirmed.addNames(state.address, names);
    throw error;
  }
  engine.unconfirmed.settle(state.address, names, sent);
  stats.writes += entries.length;
  engine.troubles.worked(state.address.tier, 'set');
  for (const { name, sealed } of entries) {
    stats.bytesWritten += sealed.payload.length;
    engine.accessLog?.set(state.address, state.keyOf(name), sealed.payload.length);
  }
  // Whoever read meanwhile, or wrote meanwhile, may have seen the order of things otherwise: nothing of theirs stays,
  // and nothing of ours if we heard of theirs.
  for (const [index, { name, payload }] of entries.entries()) {
    const token = tokens[index];
    const mine = token?.valid === true;
    state.invalidate(name);
    if (token === undefined) continue;
    token.valid = mine;
    level1.fill(token, writtenEntry(state, payload, sentMs, plan, tags), engine.clock.monotonic());
    token.valid = false;
    level1.end(token);
  }
  return result;
}

/** A queue that refuses a write does so before anything is changed. */
function wasRefused(error: unknown): boolean {
  return error instanceof TierkitError && error.code.startsWith('ERR_WRITE_BEHIND_');
}

/** What the first level keeps of a write that was sent then. */
export function writtenEntry(
  state: ScopeState,
  payload: Buffer,
  sentMs: number,
  lifetime: Lifetime,
  tags: StampedTags | undefined,
): NewLevel1Entry {
  const { ttlMs, graceMs } = lifetime;
  const ttlEndMs = sentMs + ttlMs;
  const margin = refreshMarginMs(ttlMs, state.policy);
  return {
    bytes: payload.length,
    payload,
    tags: state.level1Tags(tags),
    ttlEndMs,
    expiresAtMs: ttlEndMs + graceMs,
    refreshMarginMs: margin,
  };
}

/** As `put`, for a step that removes entries. */
export async function drop<R>(state: ScopeState, names: readonly string[], send: () => Promise<R>): Promise<R> {
  const { engine, stats } = state;
  for (const name of names) state.invalidate(name);
  const sent = engine.unconfirmed.moment;
  let result: R;
  try {
    result = await send();
  } catch (error) {
    for (const name of names) state.invalidate(name);
    if (!wasRefused(error)) engine.unconfirmed.addNames(state.address, names);
    throw error;
  }
  for (const name of names) state.invalidate(name);
  engine.unconfirmed.settle(state.address, names, sent);
  engine.troubles.worked(state.address.tier, 'delete');
  stats.deletes += names.length;
  return result;
}

export const nameOf = ({ name }: EncodedValue): string => name;
