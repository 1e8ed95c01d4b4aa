import { freezeDeep, TierkitError } from '@tierkit/core';
import type { Flight, StaleValue } from './flight.ts';
import { jittered, refreshMarginMs } from './load-policy.ts';
import { loaderContext, LoadOutcome } from './loader-context.ts';
import { withinRedisDeadline } from './redis-deadline.ts';
import type { FillToken } from '../level1/scope-level1.ts';
import { countMiss } from '../reads/counted-reads.ts';
import type { LoadedValue, ScopeState } from '../scope-state.ts';
import type { Lease, LoadFailure, NewEntry } from '../stores/store.ts';
import { MAX_NAMES } from '../tags/stamped-tags.ts';
import { timed } from '../telemetry/cache-timers.ts';
import type { TagsAtStart } from '../tags/tag-tables.ts';
import type { WritePlan } from '../writes/entry-steps.ts';

const ABSENT = Buffer.alloc(0);

interface FillPlan extends WritePlan {
  /** Whatever the callers say: the same was encrypted already. */
  readonly sensitive: boolean;
}

/** Runs the loader while the lease is kept, and stores what it made if the lease is still held then. */
export async function loadUnderLease(
  state: ScopeState,
  flight: Flight,
  lease: Lease,
  token: FillToken,
  started: TagsAtStart,
): Promise<LoadedValue> {
  const { engine } = state;
  const { stale } = flight;
  const stopRenewing = keepLease(state, lease);
  let outcome: LoadOutcome;
  try {
    outcome = await runLoader(state, flight);
  } catch (error) {
    stopRenewing();
    void giveBack(state, lease, failed(state, flight, error));
    throw error;
  }
  try {
    state.failures.forget(flight.request.name);
    const payload = outcome.kind === 'unchanged' ? stale?.payload : encode(state, flight, outcome);
    const ttlMs = timeToLive(flight, outcome);
    if (payload === undefined || ttlMs === 0) {
      void giveBack(state, lease);
      return copied(state, outcome, payload, stale);
    }
    const sentMs = engine.clock.monotonic();
    const graceMs = outcome.kind === 'absent' ? 0 : flight.request.policy.graceMs;
    const sensitive = outcome.kind === 'unchanged' && stale?.encrypted === true;
    const plan = { ttlMs, graceMs, tags: tagsOf(flight, outcome, stale), sensitive };
    const stored = await fill(state, flight, lease, payload, started, plan);
    const loaded = copied(state, outcome, payload, stale);
    if (stored !== undefined) {
      const ttlEndMs = sentMs + ttlMs;
      const margin = outcome.kind === 'absent' ? 0 : refreshMarginMs(ttlMs, flight.request.policy);
      const tags = state.level1Tags(stored.tags);
      const entry = { ...loaded, tags, bytes: payload.length, expiresAtMs: ttlEndMs + graceMs, ttlEndMs };
      state.level1.fill(token, { ...entry, refreshMarginMs: margin }, engine.clock.monotonic());
    }
    return loaded;
  } finally {
    stopRenewing();
  }
}

/** Without a lease nothing is stored: it could be older than what others stored meanwhile. */
export async function loadUnstored(state: ScopeState, flight: Flight): Promise<LoadedValue> {
  const { stale } = flight;
  try {
    const outcome = await runLoader(state, flight);
    state.failures.forget(flight.request.name);
    return copied(state, outcome, outcome.kind === 'value' ? encode(state, flight, outcome) : undefined, stale);
  } catch (error) {
    failed(state, flight, error);
    throw error;
  }
}

/** Gives a lease back without a value; others may load at once, or are told of the failure for its backoff. */
export async function giveBack(state: ScopeState, lease: Lease, failure?: LoadFailure): Promise<void> {
  try {
    await state.engine.store.release(state.address, lease, failure);
  } catch {
    // It expires.
  }
}

/** Renews the lease until the returned function is called, or somebody else has it. */
export function keepLease(state: ScopeState, lease: Lease): () => void {
  const { engine, address, stats } = state;
  const { leaseMs } = engine.sharing;
  const renewal = setInterval(() => {
    engine.store.renew(address, lease, leaseMs).then(
      (held) => {
        if (!held || engine.closed) clearInterval(renewal);
      },
      () => stats.errors++,
    );
  }, leaseMs / 3);
  renewal.unref();
  return () => clearInterval(renewal);
}

/** Counts the read that began the load, once; nobody asked for a refresh ahead of time. */
export function countLoadMiss(state: ScopeState, flight: Flight): void {
  if (flight.counted) return;
  flight.counted = true;
  if (flight.request.hitAboveMs === 0) countMiss(state, flight.request.name);
}

async function runLoader(state: ScopeState, flight: Flight): Promise<LoadOutcome> {
  const { name, loader, policy, partOf } = flight.request;
  countLoadMiss(state, flight);
  state.stats.loads++;
  const context = loaderContext(flight);
  const run = (): unknown => inTime(state, flight, loader(context), policy.hardTimeoutMs);
  const startedMs = state.engine.clock.monotonic();
  let failed = true;
  state.stats.loading++;
  try {
    const loaded =
      state.timers === undefined || partOf === 'batch'
        ? await run()
        : await timed(state, 'load', async () => run(), { key: state.keyOf(name) });
    failed = false;
    return LoadOutcome.of(loaded);
  } finally {
    const tookMs = state.engine.clock.monotonic() - startedMs;
    state.stats.loading--;
    state.stats.loadMs += tookMs;
    state.engine.usage.loaded(state.address, name, tookMs, failed);
  }
}

function inTime(state: ScopeState, flight: Flight, running: unknown, hardTimeoutMs: number | undefined): unknown {
  if (hardTimeoutMs === undefined) return running;
  return new Promise((resolve, reject) => {
    const timer = state.engine.clock.setTimeout(() => {
      const message = `the loader took longer than ${hardTimeoutMs} ms`;
      const { tier } = state.address;
      const error = new TierkitError('ERR_CACHE_LOAD_TIMEOUT', message, { details: { tier, hardTimeoutMs } });
      reject(error);
      flight.abort(error);
    }, hardTimeoutMs);
    Promise.resolve(running)
      .then(resolve, reject)
      .finally(() => timer.cancel());
  });
}

/** Remembers a failure for those who come next, unless the name was changed meanwhile. */
function failed(state: ScopeState, flight: Flight, error: unknown): LoadFailure | undefined {
  const { engine, failures, stats } = state;
  stats.loadErrors++;
  if (flight.detached || engine.closed) return undefined;
  const backoffMs = failures.add(flight.request.name, error, engine.clock.monotonic());
  return backoffMs === 0 ? undefined : { backoffMs, message: describe(error) };
}

/** For other processes: no message, since it may hold what Redis must not see. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return 'no Error';
  const code = 'code' in error ? String(error.code) : '';
  return `${error.name} ${code}`.trim().slice(0, 200);
}

function timeToLive({ request }: Flight, outcome: LoadOutcome): number {
  const { policy } = request;
  const ttlMs = outcome.ttlMs ?? (outcome.kind === 'absent' ? policy.negativeTtlMs : undefined) ?? policy.ttlMs;
  return ttlMs === 0 ? 0 : jittered(ttlMs, policy);
}

/** What callers get: never the loader's own object, unless it cannot be encoded. */
function copied(
  state: ScopeState,
  outcome: LoadOutcome,
  payload: Buffer | undefined,
  stale: LoadedValue | undefined,
): LoadedValue {
  if (outcome.kind === 'unchanged') return { value: stale?.value, shareable: stale?.shareable ?? true };
  if (payload === undefined || outcome.kind === 'absent') return { value: outcome.value, shareable: true };
  const value = state.engine.codec.decode(payload);
  return { value, shareable: freezeDeep(value) };
}

/** Undefined for a value that cannot be stored; it is the caller's all the same. */
function encode(state: ScopeState, { request }: Flight, { kind, value }: LoadOutcome): Buffer | undefined {
  if (kind === 'absent') return ABSENT;
  if (value === undefined) return undefined;
  const { engine, address } = state;
  const key = state.keyOf(request.name);
  try {
    const payload = engine.codec.encode(value);
    engine.troubles.stored(key);
    return payload;
  } catch (error) {
    engine.troubles.unstorable(address.tier, key, error, 'a loaded value cannot be stored');
    return undefined;
  }
}

/** The callers' and the loader's; what is unchanged keeps those that it had. */
function tagsOf(flight: Flight, outcome: LoadOutcome, stale: StaleValue | undefined): readonly string[] {
  const kept = outcome.kind === 'unchanged' ? (stale?.tagNames ?? []) : [];
  if (kept.length === 0 && outcome.tags.length === 0) return flight.tags;
  return [...new Set([...flight.tags, ...outcome.tags, ...kept])];
}

/** Stores what was loaded if Redis does so in time. @returns what was stored, undefined for nothing */
async function fill(
  state: ScopeState,
  flight: Flight,
  lease: Lease,
  payload: Buffer,
  started: TagsAtStart,
  plan: FillPlan,
): Promise<Pick<NewEntry, 'tags'> | undefined> {
  const { engine, address } = state;
  try {
    const storing = store(state, flight, lease, payload, started, plan);
    const stored = await withinRedisDeadline(storing, flight.request.policy.redisTimeoutMs, engine.clock);
    engine.troubles.worked(address.tier, 'store a load');
    return stored;
  } catch (error) {
    state.stats.errors++;
    engine.troubles.failed(address.tier, 'store a load', error);
    engine.logger.debug({ tier: address.tier, error: String(error) }, 'a loaded value was not stored');
    return undefined;
  }
}

async function store(
  state: ScopeState,
  flight: Flight,
  lease: Lease,
  payload: Buffer,
  started: TagsAtStart,
  plan: FillPlan,
): Promise<Pick<NewEntry, 'tags'> | undefined> {
  const { engine, address } = state;
  const { name } = flight.request;
  if (plan.tags.length > MAX_NAMES) {
    const details = { tier: address.tier, tags: plan.tags.length, code: 'ERR_CACHE_TAGS' };
    engine.logger.warn(details, `a loaded value is not stored: its tags together are more than ${MAX_NAMES}`);
    void giveBack(state, lease);
    return undefined;
  }
  const tags = await engine.tags.stampLoaded(address, plan.tags, started, plan.ttlMs + plan.graceMs);
  if (tags === 'outdated') {
    void giveBack(state, lease);
    return undefined;
  }
  const sensitive = plan.sensitive || flight.sensitive;
  const sealed = payload === ABSENT ? { flags: 0, payload } : state.seal(name, payload, sensitive);
  const entry = { key: lease.key, tags, ...sealed };
  if (!(await engine.store.fill(address, lease, entry, plan))) return undefined;
  state.stats.bytesWritten += sealed.payload.length;
  engine.accessLog?.set(address, lease.key, sealed.payload.length);
  return entry;
}
