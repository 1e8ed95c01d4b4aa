import { copyValue, freezeDeep, PAYLOAD_ENCRYPTED, TierkitError, type TimedOperation } from '@tierkit/core';
import { countBytes, countFailed, countLevel2Hit, countMiss, countStale, notRead } from './counted-reads.ts';
import type { StaleValue } from './loads/flight.ts';
import type { Level1Entry } from './level1/level1.ts';
import { refreshMarginMs, type LoadPolicy } from './loads/load-policy.ts';
import { withinRedisDeadline } from './loads/redis-deadline.ts';
import type { FillToken } from './level1/scope-level1.ts';
import type { LoadedValue, ScopeState } from './scope-state.ts';
import type { StoredEntry } from './stores/store.ts';
import { timed } from './telemetry/cache-timers.ts';

/** What a read found, or undefined for a miss; the value undefined is a known absence. */
export type Found = LoadedValue | undefined;

/** Hands a found value to one more caller. */
export function handOut(found: LoadedValue, copy: boolean): unknown {
  if (found.own === true) return found.value;
  if (copy) return copyValue(found.value);
  return found.shareable ? found.value : copyValue(found.value, { frozen: true });
}

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

/** The second level's answer; the first level's suspect one when the second cannot be asked. */
export function read(state: ScopeState, name: string): Promise<Found> {
  const timer = state.timers?.of('get');
  if (timer?.traced !== true) return readStore(state, name, timer);
  return timer.run(() => readStore(state, name), { key: state.keyOf(name) });
}

async function readStore(state: ScopeState, name: string, timer?: TimedOperation): Promise<Found> {
  const startedMs = timer === undefined ? 0 : performance.now();
  const { engine } = state;
  engine.topKeys.read(state.address, name);
  if (engine.unconfirmed.covers(state.address, name))
    return (await readPending(state, name, false)) ?? missed(state, name);
  const token = state.level1.begin(name);
  try {
    const reading = engine.store.read(state.address, state.keyOf(name));
    const { redisTimeoutMs } = state.policy;
    const stored = await (redisTimeoutMs === undefined
      ? reading
      : withinRedisDeadline(reading, redisTimeoutMs, engine.clock));
    engine.troubles.worked(state.address.tier, 'read');
    if (stored === undefined) state.level1.gone(token);
    else countBytes(state, stored);
    const found = stored && isFresh(state, stored) ? accept(state, token, stored) : undefined;
    if (found === undefined) return (await readPending(state, name, false)) ?? missed(state, name);
    countLevel2Hit(state, name);
    return found;
  } catch (error) {
    suspectOversized(state, [state.keyOf(name)], error);
    notRead(state, error);
    return (await readPending(state, name, true)) ?? missed(state, name, readSuspect(state, name));
  } finally {
    timer?.ended(startedMs);
    state.level1.end(token);
  }
}

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

/** What takes so long may be a value that is larger than any of ours, which would be sent again and again. */
export function suspectOversized({ engine, address }: ScopeState, keys: readonly string[], error: unknown): void {
  const code = error instanceof TierkitError ? error.code : undefined;
  const timedOut = code === 'ERR_REDIS_TIMEOUT' || code === 'ERR_CACHE_REDIS_TIMEOUT';
  if (timedOut) engine.store.suspectOversized(address, keys);
}

/** As `read` for several names at once, one answer a name. */
export function readMany(state: ScopeState, names: readonly string[]): Promise<Found[]> {
  return timed(state, 'get_many', () => readManyFromStore(state, names), { count: names.length });
}

async function readManyFromStore(state: ScopeState, names: readonly string[]): Promise<Found[]> {
  const { engine } = state;
  for (const name of names) engine.topKeys.read(state.address, name);
  try {
    const failed = new Map<string, unknown>();
    const found = await readStored(state, names, failed);
    countFailed(state, failed);
    return names.map((name, index) => {
      if (failed.has(name)) return missed(state, name, readSuspect(state, name));
      if (found[index] === undefined) countMiss(state, name);
      else countLevel2Hit(state, name);
      return found[index];
    });
  } catch (error) {
    notRead(state, error);
    return names.map((name) => missed(state, name, readSuspect(state, name)));
  }
}

/** The second level's answers alone, not counted. What it could not be asked for is noted as failed. */
export async function readStored(
  state: ScopeState,
  names: readonly string[],
  failed: Map<string, unknown>,
): Promise<Found[]> {
  const { engine } = state;
  const tokens = names.map((name) => state.level1.begin(name));
  const keys = names.map((name) => state.keyOf(name));
  try {
    const reading = engine.store.readMany(state.address, keys);
    const stored = await withinRedisDeadline(reading, state.policy.redisTimeoutMs, engine.clock);
    const failure = stored.find((entry) => entry instanceof Error);
    if (failure !== undefined) {
      const unread = keys.filter((_, index) => stored[index] instanceof Error);
      suspectOversized(state, unread, failure);
    }
    const found = names.map((name, index): Found => {
      const entry = stored[index];
      const token = tokens[index];
      if (token === undefined || engine.unconfirmed.covers(state.address, name)) return undefined;
      if (entry === undefined) {
        state.level1.gone(token);
        return undefined;
      }
      if (entry instanceof Error) {
        failed.set(name, entry);
        return undefined;
      }
      countBytes(state, entry);
      return isFresh(state, entry) ? accept(state, token, entry) : undefined;
    });
    await addPending(state, names, found, failed);
    return found;
  } catch (error) {
    suspectOversized(state, keys, error);
    throw error;
  } finally {
    for (const token of tokens) state.level1.end(token);
  }
}

/** Puts in what is pending of what was not found. */
async function addPending(
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

/** Whether an entry's time to live still runs. Without a grace, Redis itself ends the entry with it. */
function isFresh(state: ScopeState, stored: StoredEntry): boolean {
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

/** Counts a read that the second level did not answer, with what the first one has for it all the same. */
function missed(state: ScopeState, name: string, found?: Found): Found {
  if (found === undefined) countMiss(state, name);
  else countStale(state, name);
  return found;
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

/** The encoded value; undefined as well for one whose key this process does not have, which is left alone. */
function open(state: ScopeState, stored: StoredEntry): Buffer | undefined {
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

function decode(state: ScopeState, stored: StoredEntry, payload: Buffer): unknown {
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
