import { TierkitError, type TimedOperation } from '@tierkit/core';
import { withinRedisDeadline } from '../loads/redis-deadline.ts';
import type { ScopeState } from '../scope-state.ts';
import { timed } from '../telemetry/cache-timers.ts';
import { countBytes, countFailed, countLevel2Hit, countMiss, countStale, hitLevel1, notRead } from './counted-reads.ts';
import type { Found } from './found.ts';
import { readLevel1, readSuspect } from './level1-reads.ts';
import { addPending, readPending } from './pending-reads.ts';
import { accept, isFresh } from './stored-values.ts';

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

/** What takes so long may be a value that is larger than any of ours, which would be sent again and again. */
export function suspectOversized({ engine, address }: ScopeState, keys: readonly string[], error: unknown): void {
  const code = error instanceof TierkitError ? error.code : undefined;
  const timedOut = code === 'ERR_REDIS_TIMEOUT' || code === 'ERR_CACHE_REDIS_TIMEOUT';
  if (timedOut) engine.store.suspectOversized(address, keys);
}

/** What either level has of several names, one answer a name: the second is asked once for what the first lacks. */
export async function readBothLevels(state: ScopeState, names: readonly string[]): Promise<Found[]> {
  const nowMs = state.engine.clock.monotonic();
  const found = names.map((name) => readLevel1(state, name, nowMs));
  const missing = new Map<string, Found>();
  for (const [index, name] of names.entries()) {
    if (found[index] === undefined) missing.set(name, undefined);
    else hitLevel1(state, name);
  }
  if (missing.size > 0) {
    const asked = [...missing.keys()];
    const answers = await readMany(state, asked);
    for (const [index, name] of asked.entries()) missing.set(name, answers[index]);
  }
  return names.map((name, index) => found[index] ?? missing.get(name));
}

/** As `read` for several names at once, one answer a name. */
function readMany(state: ScopeState, names: readonly string[]): Promise<Found[]> {
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

/** Counts a read that the second level did not answer, with what the first one has for it all the same. */
function missed(state: ScopeState, name: string, found?: Found): Found {
  if (found === undefined) countMiss(state, name);
  else countStale(state, name);
  return found;
}
