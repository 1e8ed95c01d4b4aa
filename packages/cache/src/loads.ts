import { freezeDeep } from '@tierkit/core';
import { freshName } from './fresh-generation.ts';
import { accept, readSuspect, type Found } from './reads.ts';
import type { FillToken } from './scope-level1.ts';
import type { Flight, LoadedValue, LoadPlan, ScopeState } from './scope-state.ts';
import type { Claim, Lease, NewEntry, StoredEntry } from './store.ts';
import type { TagsAtStart } from './tag-tables.ts';

export type Loader = () => unknown;

/** What a caller that loads several names knows, and wants to know. */
export interface LoadHints {
  /** The second level could not be asked just now: the call has spent its deadline. */
  readonly away?: boolean;
  /** Called when somebody else loads the name, here or in another process, before the wait for it. */
  readonly onHeld?: () => void;
}

/** Between two looks at a lease whose end may go unheard, since the feed is lost. */
const DEAF_POLL_MS = 100;

/**
 * The value of a name, loaded if nobody has it: callers in this process share one load, and processes agree on one
 * through a lease in the second level.
 */
export function load(
  state: ScopeState,
  name: string,
  loader: Loader,
  plan: LoadPlan,
  hints: LoadHints = {},
): Promise<LoadedValue> {
  const known = state.flights.get(name);
  const { tagMoves } = state;
  if (known?.tagMoves === tagMoves) {
    if (plan.sensitive) known.plan.sensitive = true;
    if (plan.tags.length > 0) known.plan.tags = [...new Set([...known.plan.tags, ...plan.tags])];
    hints.onHeld?.();
    return known.promise;
  }
  // A copy, since callers who join add to it, and the loads of a batch are given one.
  const own = { ...plan };
  const promise = obtain(state, name, loader, own, hints).finally(() => {
    if (state.flights.get(name) === flight) state.flights.delete(name);
  });
  const flight: Flight = { promise, tagMoves, plan: own };
  state.flights.set(name, flight);
  return promise;
}

async function obtain(
  state: ScopeState,
  name: string,
  loader: Loader,
  plan: LoadPlan,
  hints: LoadHints,
): Promise<LoadedValue> {
  const { engine } = state;
  const { leaseMs, waitTimeoutMs } = engine.load;
  const giveUpMs = engine.clock.monotonic() + waitTimeoutMs;
  const leaseToken = freshName();
  let undecodable = 0;
  let unreadable: StoredEntry | undefined;
  for (;;) {
    const alone =
      hints.away === true || engine.closed || undecodable > 2 || engine.unconfirmed.covers(state.address, name);
    if (alone) return loadUnstored(state, loader);
    const token = state.level1.begin(name);
    // From before the claim: news of the load's end may overtake the answer that somebody loads.
    const waiter = state.waiters.begin(name);
    const starting = engine.tags.start(state.address);
    try {
      const claim = await claimOrSuspect(state, name, leaseToken, leaseMs, unreadable);
      if (claim.kind === 'away') return claim.found ?? (await loadUnstored(state, loader));
      if (claim.kind === 'granted') {
        const { everywhere, scope } = await starting;
        const started = { everywhere, scope: claim.lease.tags ?? scope };
        return await loadUnderLease(state, claim.lease, token, started, loader, plan);
      }
      if (claim.kind === 'hit') {
        const found = accept(state, token, claim.entry, true);
        if (found !== undefined) {
          state.stats.l2Hits++;
          return found;
        }
        undecodable++;
        unreadable = claim.entry;
        continue;
      }
      const leftMs = giveUpMs - engine.clock.monotonic();
      if (leftMs <= 0) return await loadUnstored(state, loader);
      hints.onHeld?.();
      const deafMs = engine.level1?.armed === true ? Infinity : DEAF_POLL_MS;
      const lease = Math.max(claim.remainingMs, 1) * (1 + Math.random() * 0.1);
      await waiter.wait(Math.min(leftMs, lease, deafMs));
    } finally {
      waiter.end();
      state.level1.end(token);
    }
  }
}

type ClaimOrSuspect = Claim | { readonly kind: 'away'; readonly found: Found };

async function claimOrSuspect(
  state: ScopeState,
  name: string,
  token: string,
  leaseMs: number,
  unreadable: StoredEntry | undefined,
): Promise<ClaimOrSuspect> {
  try {
    return await state.engine.store.claim(state.address, state.keyOf(name), token, leaseMs, unreadable);
  } catch (error) {
    return { kind: 'away', found: readSuspect(state, name, error) };
  }
}

async function loadUnderLease(
  state: ScopeState,
  lease: Lease,
  token: FillToken,
  started: TagsAtStart,
  loader: Loader,
  plan: LoadPlan,
): Promise<LoadedValue> {
  const { engine, address, stats } = state;
  const { leaseMs } = engine.load;
  stats.misses++;
  const renewal = setInterval(() => {
    if (engine.closed) return clearInterval(renewal);
    engine.store.renew(address, lease, leaseMs).catch(() => stats.errors++);
  }, leaseMs / 3);
  renewal.unref();
  try {
    const value = await runLoader(state, loader);
    const payload = value === undefined ? undefined : encode(state, value);
    if (payload === undefined) {
      void giveBack(state, lease);
      return { value, shareable: true };
    }
    const sentMs = engine.clock.monotonic();
    const stored = await fill(state, lease, token.name, payload, started, plan);
    const copy = engine.codec.decode(payload);
    const shareable = freezeDeep(copy);
    if (stored !== undefined) {
      const tags = state.level1Tags(stored.tags);
      const entry = { bytes: payload.length, expiresAtMs: sentMs + plan.ttlMs, tags, value: copy, shareable };
      state.level1.fill(token, entry, engine.clock.monotonic());
    }
    return { value: copy, shareable };
  } catch (error) {
    void giveBack(state, lease);
    throw error;
  } finally {
    clearInterval(renewal);
  }
}

/** Without a lease nothing is stored: it could be older than what others stored meanwhile. */
async function loadUnstored(state: ScopeState, loader: Loader): Promise<LoadedValue> {
  const value = await runLoader(state, loader);
  const payload = value === undefined ? undefined : encode(state, value);
  if (payload === undefined) return { value, shareable: true };
  const copy = state.engine.codec.decode(payload);
  return { value: copy, shareable: freezeDeep(copy) };
}

async function runLoader(state: ScopeState, loader: Loader): Promise<unknown> {
  state.stats.loads++;
  try {
    return await loader();
  } catch (error) {
    state.stats.loadErrors++;
    throw error;
  }
}

/** A value that cannot be stored is the caller's all the same. */
function encode(state: ScopeState, value: unknown): Buffer | undefined {
  try {
    return state.engine.codec.encode(value);
  } catch (error) {
    state.engine.logger.warn({ tier: state.address.tier, error: String(error) }, 'a loaded value cannot be stored');
    return undefined;
  }
}

/** @returns what was stored, undefined for nothing */
async function fill(
  state: ScopeState,
  lease: Lease,
  name: string,
  payload: Buffer,
  started: TagsAtStart,
  plan: LoadPlan,
): Promise<Pick<NewEntry, 'tags'> | undefined> {
  const { engine, address } = state;
  try {
    const tags = await engine.tags.stampLoaded(address, plan.tags, started, plan.ttlMs);
    if (tags === 'outdated') {
      await giveBack(state, lease);
      return undefined;
    }
    const entry = { key: lease.key, tags, ...state.seal(name, payload, plan.sensitive) };
    return (await engine.store.fill(address, lease, entry, plan.ttlMs)) ? entry : undefined;
  } catch (error) {
    state.stats.errors++;
    engine.logger.debug({ tier: address.tier, error: String(error) }, 'a loaded value was not stored');
    return undefined;
  }
}

async function giveBack(state: ScopeState, lease: Lease): Promise<void> {
  try {
    await state.engine.store.release(state.address, lease);
  } catch {
    // It expires.
  }
}
