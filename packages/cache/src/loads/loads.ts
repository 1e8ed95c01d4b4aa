import { TierkitError } from '@tierkit/core';
import { Flight, type LoadHints, type LoadRequest } from './flight.ts';
import { answer, usableStale } from './answer.ts';
import { freshName } from '../stores/fresh-generation.ts';
import { refreshMarginMs } from './load-policy.ts';
import { countLoadMiss, giveBack, loadUnderLease, loadUnstored } from './load-run.ts';
import type { Loader } from './loader-context.ts';
import { countBytes, countLevel2Hit, hitLevel1, notRead } from '../reads/counted-reads.ts';
import type { Found } from '../reads/found.ts';
import { readLevel1, readSuspect, refreshDueMs } from '../reads/level1-reads.ts';
import { readPending } from '../reads/pending-reads.ts';
import { suspectOversized } from '../reads/reads.ts';
import { accept, freshForMs, staleValue } from '../reads/stored-values.ts';
import { withinRedisDeadline } from './redis-deadline.ts';
import type { FillToken } from '../level1/scope-level1.ts';
import type { LoadedValue, ScopeState } from '../scope-state.ts';
import type { Claim, StoredEntry } from '../stores/store.ts';
import type { TagsAtStart } from '../tags/tag-tables.ts';
import { timed } from '../telemetry/cache-timers.ts';
import type { LoadPlan } from '../tier-policy.ts';

/** Between two looks at a lease whose end may go unheard, since the feed is lost. */
const DEAF_POLL_MS = 100;
/** An entry that stays fresh for so little longer than the one that is to be refreshed is the same one. */
const SAME_ENTRY_MS = 100;
const UNKNOWN: TagsAtStart = { scope: undefined, everywhere: undefined };

/**
 * The value of a name, loaded if nobody has it: callers in this process share one load, and processes agree on one
 * through a lease in the second level.
 */
export async function load(
  state: ScopeState,
  name: string,
  loader: Loader,
  policy: LoadPlan,
  hints: LoadHints = {},
): Promise<LoadedValue> {
  const { engine } = state;
  const nowMs = engine.clock.monotonic();
  const known = readLevel1(state, name, nowMs);
  if (known !== undefined) {
    hitLevel1(state, name);
    const dueMs = policy.refreshAhead === undefined ? undefined : refreshDueMs(state, name, nowMs);
    if (dueMs !== undefined) refresh(state, { name, loader, policy, hitAboveMs: aboveMs(dueMs) });
    return known;
  }
  const request = { name, loader, policy, hitAboveMs: 0, ...hints };
  if (state.timers === undefined || hints.partOf !== undefined) return obtained(state, request);
  return timed(state, 'get_or_set', () => obtained(state, request), { key: state.keyOf(name) });
}

/** What the first level does not have: what this process loads already, or what the second level says. */
function obtained(state: ScopeState, request: LoadRequest): Promise<LoadedValue> {
  const { name, policy } = request;
  state.engine.topKeys.read(state.address, name);
  let flight = state.flights.get(name);
  if (flight?.tagMoves === state.tagMoves) {
    state.stats.shared++;
    flight.join(policy);
    request.onHeld?.();
  } else {
    flight = begin(state, request);
  }
  return answer(state, flight, policy);
}

/** Loads an entry anew before its time, unless that is happening, failed a moment ago, or too much is happening. */
function refresh(state: ScopeState, request: LoadRequest): void {
  const { name } = request;
  const { engine, failures, flights } = state;
  if (flights.has(name) || failures.active(name, engine.clock.monotonic()) !== undefined) return;
  const key = state.keyOf(name);
  if (engine.background.takes(key)) engine.background.adopt(key, begin(state, request));
}

function begin(state: ScopeState, request: LoadRequest): Flight {
  const flight = new Flight(request, state.tagMoves);
  state.flights.begin(flight);
  void run(state, flight);
  return flight;
}

async function run(state: ScopeState, flight: Flight): Promise<void> {
  const { request } = flight;
  // Nobody may be waiting for a load in the background.
  flight.promise.catch(() => {});
  try {
    const value = await obtain(state, flight);
    countLoadMiss(state, flight);
    flight.resolve(value);
  } catch (error) {
    countLoadMiss(state, flight);
    flight.reject(error);
  } finally {
    flight.look();
    const attached = state.flights.end(flight);
    const hitAboveMs = flight.refreshAboveMs;
    if (attached && hitAboveMs !== undefined) refresh(state, { ...request, hitAboveMs });
  }
}

async function obtain(state: ScopeState, flight: Flight): Promise<LoadedValue> {
  const { engine } = state;
  const { name, hitAboveMs, away, onHeld, onAway } = flight.request;
  const giveUpMs = engine.clock.monotonic() + engine.sharing.waitTimeoutMs;
  const leaseToken = freshName();
  let undecodable = 0;
  let unreadable: StoredEntry | undefined;
  for (;;) {
    const alone = away === true || engine.closed || undecodable > 2 || engine.unconfirmed.covers(state.address, name);
    if (alone) return (away === true ? undefined : await pendingFor(state, flight, false)) ?? loadAlone(state, flight);
    const token = state.level1.begin(name);
    // From before the claim: news of the load's end may overtake the answer that somebody loads.
    const waiter = state.waiters.begin(name);
    const starting = tagsAtStart(state, flight);
    try {
      const claim = await claimOrSuspect(state, flight, leaseToken, unreadable);
      if (claim.kind === 'away') {
        onAway?.();
        const pending = await pendingFor(state, flight, true);
        if (pending !== undefined) return pending;
        flight.endedStale = claim.found !== undefined && hitAboveMs === 0;
        return claim.found ?? (await loadAlone(state, flight));
      }
      const brought = claim.kind === 'hit' ? claim.entry : claim.stale;
      if (brought !== undefined) countBytes(state, brought);
      if (claim.kind === 'hit') {
        const found = acceptHit(state, flight, token, claim.entry);
        if (found !== undefined) return found;
        undecodable++;
        unreadable = claim.entry;
        continue;
      }
      const pending = await pendingFor(state, flight, false);
      if (pending !== undefined) {
        if (claim.kind === 'granted') void giveBack(state, claim.lease);
        return pending;
      }
      if (claim.kind === 'granted' && claim.stale === undefined) state.level1.gone(token);
      // Once the name was changed, what the claim found may be older than that.
      flight.stale = flight.detached ? undefined : staleValue(state, claim.stale);
      flight.look();
      const failure = state.failures.active(name, engine.clock.monotonic());
      if (claim.kind === 'granted') {
        if (failure === undefined && !crowdedOut(state, flight)) {
          const { everywhere, scope } = await starting;
          const started = { everywhere, scope: claim.lease.tags ?? scope };
          flight.loading = true;
          flight.tagMoves = state.tagMoves;
          return await loadUnderLease(state, flight, claim.lease, token, started);
        }
        void giveBack(state, claim.lease);
      }
      if (failure !== undefined) throw failure.error;
      if (claim.kind === 'failed') throw failedElsewhere(state, name, claim);
      // A refresh that happens elsewhere, or is one too many here, leaves things as they are.
      if (flight.stale !== undefined && (claim.kind === 'granted' || mayStay(state, flight))) {
        // Who comes now may want to wait.
        state.flights.retire(flight);
        flight.endedStale = hitAboveMs === 0;
        return flight.stale;
      }
      const leftMs = giveUpMs - engine.clock.monotonic();
      if (leftMs <= 0) return await loadAlone(state, flight);
      onHeld?.();
      const deafMs = engine.level1?.armed === true ? Infinity : DEAF_POLL_MS;
      const heldMs = claim.kind === 'held' ? claim.remainingMs : 0;
      await waiter.wait(Math.min(leftMs, Math.max(heldMs, 1) * (1 + Math.random() * 0.1), deafMs));
    } finally {
      waiter.end();
      state.level1.end(token);
    }
  }
}

/** Where the tags stand, as far as Redis tells in time. */
function tagsAtStart({ engine, address }: ScopeState, { request }: Flight): TagsAtStart | Promise<TagsAtStart> {
  const standing = engine.tags.start(address);
  const { redisTimeoutMs } = request.policy;
  if (redisTimeoutMs === undefined || !(standing instanceof Promise)) return standing;
  return withinRedisDeadline(standing, redisTimeoutMs, engine.clock).catch(() => UNKNOWN);
}

type ClaimOrSuspect = Claim | { readonly kind: 'away'; readonly found: Found };

async function claimOrSuspect(
  state: ScopeState,
  flight: Flight,
  token: string,
  unreadable: StoredEntry | undefined,
): Promise<ClaimOrSuspect> {
  const { engine } = state;
  const { name, policy, hitAboveMs } = flight.request;
  const { redisTimeoutMs } = policy;
  const request = { token, leaseMs: engine.sharing.leaseMs, hitAboveMs, unreadable };
  const claiming = engine.store.claim(state.address, state.keyOf(name), request);
  try {
    const claim = await (redisTimeoutMs === undefined
      ? claiming
      : withinRedisDeadline(claiming, redisTimeoutMs, engine.clock));
    engine.troubles.worked(state.address.tier, 'read');
    return claim;
  } catch (error) {
    // A lease that comes late would keep others waiting for nobody.
    const release = (late: Claim): void => void (late.kind === 'granted' && giveBack(state, late.lease));
    claiming.then(release, () => {});
    suspectOversized(state, [state.keyOf(name)], error);
    notRead(state, error);
    return { kind: 'away', found: readSuspect(state, name) };
  }
}

function acceptHit(state: ScopeState, flight: Flight, token: FillToken, entry: StoredEntry): Found {
  const { policy, hitAboveMs } = flight.request;
  const found = accept(state, token, entry, policy);
  if (found === undefined) return undefined;
  if (hitAboveMs === 0) countLevel2Hit(state, flight.request.name);
  flight.counted = true;
  if (policy.refreshAhead !== undefined && hitAboveMs === 0 && found.value !== undefined) {
    const leftMs = freshForMs(state, entry);
    if (leftMs <= refreshMarginMs(policy.ttlMs, policy)) flight.refreshAboveMs = aboveMs(leftMs);
  }
  return found;
}

/** What is pending of the name, which the source does not have yet: nobody loads it. */
async function pendingFor(state: ScopeState, flight: Flight, away: boolean): Promise<Found> {
  if (!state.engine.behind.concerns(state.address, away)) return undefined;
  const found = await readPending(state, flight.request.name, away);
  if (found !== undefined) flight.counted = true;
  return found;
}

/** What claims an entry that is fresh for so long, and not one that replaced it. */
function aboveMs(leftMs: number): number {
  return Math.ceil(Math.max(leftMs, 0) + SAME_ENTRY_MS);
}

/** Whether all callers may have the stale value at once, and too many loads go on already that nobody waits for. */
function crowdedOut(state: ScopeState, flight: Flight): boolean {
  if (flight.waiting > 0 || usableStale(state, flight, flight) === undefined) return false;
  return !state.engine.background.adopt(state.keyOf(flight.request.name), flight);
}

/** Whether a refresh may leave what is there to others. */
function mayStay(state: ScopeState, flight: Flight): boolean {
  if (flight.request.hitAboveMs === 0) return false;
  return flight.waiting === 0 || usableStale(state, flight, { graceMs: 0 }) !== undefined;
}

async function loadAlone(state: ScopeState, flight: Flight): Promise<LoadedValue> {
  const failure = state.failures.active(flight.request.name, state.engine.clock.monotonic());
  if (failure !== undefined) throw failure.error;
  return loadUnstored(state, flight);
}

function failedElsewhere(state: ScopeState, name: string, claim: Claim & { readonly kind: 'failed' }): unknown {
  const { failures, engine, address } = state;
  const elsewhere = (): TierkitError => {
    const message = `another process failed to load this a moment ago: ${claim.message}`;
    return new TierkitError('ERR_CACHE_LOAD_FAILED', message, { details: { tier: address.tier, name } });
  };
  return failures.learn(name, elsewhere, engine.clock.monotonic(), claim.remainingMs);
}
