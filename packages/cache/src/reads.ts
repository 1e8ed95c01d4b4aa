import { copyValue, freezeDeep, PAYLOAD_ENCRYPTED, TierkitError } from '@tierkit/core';
import type { Level1Entry } from './level1.ts';
import type { FillToken } from './scope-level1.ts';
import type { LoadedValue, ScopeState } from './scope-state.ts';
import type { StoredEntry } from './store.ts';

/** What a read found, or undefined for a miss. */
export type Found = LoadedValue | undefined;

/** Hands a found value to one more caller. */
export function handOut(found: LoadedValue, copy: boolean): unknown {
  if (found.own === true) return found.value;
  if (copy) return copyValue(found.value);
  return found.shareable ? found.value : copyValue(found.value, { frozen: true });
}

/** The first level's answer, if it has one that may be served without asking anybody. */
export function readLevel1(state: ScopeState, name: string, nowMs: number): Found {
  const entry = state.level1.find(name);
  if (entry === undefined || entry.epoch !== state.engine.level1?.epoch || nowMs >= entry.freshUntilMs)
    return undefined;
  if (entry.tags !== undefined && !entry.tags.current) return undefined;
  return decodeEntry(state, entry);
}

/** The second level's answer; the first level's suspect one when the second cannot be asked. */
export async function read(state: ScopeState, name: string): Promise<Found> {
  const { engine, stats } = state;
  if (engine.unconfirmed.covers(state.address, name)) {
    stats.misses++;
    return undefined;
  }
  const token = state.level1.begin(name);
  try {
    const stored = await engine.store.read(state.address, state.keyOf(name));
    const found = stored && accept(state, token, stored);
    if (found === undefined) stats.misses++;
    else stats.l2Hits++;
    return found;
  } catch (error) {
    return readSuspect(state, name, error);
  } finally {
    state.level1.end(token);
  }
}

/** As `read` for several names at once, one answer a name. */
export async function readMany(state: ScopeState, names: readonly string[]): Promise<Found[]> {
  const { stats } = state;
  try {
    const found = await readStored(state, names);
    let hits = 0;
    for (const one of found) if (one !== undefined) hits++;
    stats.l2Hits += hits;
    stats.misses += found.length - hits;
    return found;
  } catch (error) {
    return names.map((name) => readSuspect(state, name, error));
  }
}

/** The second level's answers alone, not counted. Rejects when it cannot be asked. */
export async function readStored(state: ScopeState, names: readonly string[]): Promise<Found[]> {
  const { engine } = state;
  const tokens = names.map((name) => state.level1.begin(name));
  try {
    const stored = await engine.store.readMany(
      state.address,
      names.map((name) => state.keyOf(name)),
    );
    return names.map((name, index) => {
      const entry = stored[index];
      const token = tokens[index];
      if (entry === undefined || token === undefined || engine.unconfirmed.covers(state.address, name))
        return undefined;
      return accept(state, token, entry);
    });
  } finally {
    for (const token of tokens) state.level1.end(token);
  }
}

/**
 * Decodes what the store has and puts it into the first level, if nothing changed since the token was taken.
 *
 * @param shared whether several callers will get the value
 */
export function accept(state: ScopeState, token: FillToken, stored: StoredEntry, shared = false): Found {
  const { engine } = state;
  const payload = open(state, stored);
  if (payload === undefined) return undefined;
  const value = decode(state, stored, payload);
  if (value === undefined) return undefined;
  // Without a first level nobody shares it, and the caller may do with it as it likes.
  if (engine.level1 === undefined && !shared) return { value, shareable: true, own: true };
  const shareable = freezeDeep(value);
  const offsetMs = engine.storeOffsetMs();
  if (engine.level1?.armed === true && offsetMs !== undefined) {
    const expiresAtMs = stored.expiresAtMs - offsetMs;
    const entry = { bytes: payload.length, expiresAtMs, tags: state.level1Tags(stored.tags), value, shareable };
    state.level1.fill(token, entry, engine.clock.monotonic());
  }
  return { value, shareable };
}

/**
 * What the first level has for a name that cannot be revalidated: entries from before the feed was lost, and those that
 * were to be revalidated, up to the end of their time to live. A local change ends them, so they are never older than what
 * this instance did.
 */
export function readSuspect(state: ScopeState, name: string, error: unknown): Found {
  const { engine, stats } = state;
  stats.errors++;
  engine.logger.debug({ tier: state.address.tier, error: String(error) }, 'cache read failed');
  const entry = state.level1.find(name);
  const usable = entry !== undefined && entry.tags?.ended !== true && engine.clock.monotonic() < entry.expiresAtMs;
  const found = usable ? decodeEntry(state, entry) : undefined;
  if (found === undefined) stats.misses++;
  else stats.staleServed++;
  return found;
}

/** An entry from a local write is decoded at its first read. */
export function decodeEntry(state: ScopeState, entry: Level1Entry): LoadedValue {
  if (entry.payload !== undefined) {
    entry.value = state.engine.codec.decode(entry.payload);
    entry.shareable = freezeDeep(entry.value);
    entry.payload = undefined;
  }
  return entry;
}

/** The encoded value; undefined as well for one whose key this process does not have, which is left alone. */
function open(state: ScopeState, stored: StoredEntry): Buffer | undefined {
  if (stored.flags === 0 && !state.sensitive) return stored.payload;
  try {
    if (state.sensitive && (stored.flags & PAYLOAD_ENCRYPTED) === 0) {
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
