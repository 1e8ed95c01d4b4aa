import { compilePattern, undisturbed, type KeyPattern, type SpanDetails } from '@tierkit/core';
import { unconfirmedError } from '../errors.ts';
import type { ScopeState } from '../scope-state.ts';
import { timed } from '../telemetry/cache-timers.ts';
import { drop, nameOf, put, type EncodedValue, type WritePlan } from './entry-steps.ts';

/** What a pattern deletion did. */
export interface PatternDeletion {
  /** Entries that were deleted, or would be in a dry run. */
  readonly deleted: number;
  /** False when Redis did not confirm all of it; what is left is deleted when Redis returns. */
  readonly confirmed: boolean;
}

/** @throws {TierkitError} `ERR_VALUE_UNSUPPORTED`, `ERR_VALUE_TOO_LARGE`, `ERR_VALUE_KEY_MISSING` */
export function encodeValue(state: ScopeState, name: string, value: unknown, sensitive: boolean): EncodedValue {
  const payload = state.engine.codec.encode(value);
  return { name, payload, sealed: state.seal(name, payload, sensitive) };
}

/**
 * Stores encoded values and announces the change.
 *
 * @returns whether Redis confirmed; if not, the names are remembered and invalidated when it returns
 */
export function write(
  state: ScopeState,
  entries: readonly EncodedValue[],
  plan: WritePlan,
  required: boolean,
): Promise<boolean> {
  return timed(state, 'set', () => writeNow(state, entries, plan, required), detailsOf(state, entries.map(nameOf)));
}

async function writeNow(
  state: ScopeState,
  entries: readonly EncodedValue[],
  plan: WritePlan,
  required: boolean,
): Promise<boolean> {
  const { engine, address } = state;
  try {
    await put(state, entries, plan, (tags, since) => {
      const stored = entries.map(({ name, sealed }) => ({ key: state.keyOf(name), tags, ...sealed }));
      return engine.store.write(address, stored, plan, since);
    });
  } catch (error) {
    return unconfirmed(state, 'set', error, required);
  }
  return true;
}

/** Deletes entries and announces it. @returns whether Redis confirmed, as `write` */
export function remove(state: ScopeState, names: readonly string[], required: boolean): Promise<boolean> {
  return timed(state, 'delete', () => removeNow(state, names, required), detailsOf(state, names));
}

async function removeNow(state: ScopeState, names: readonly string[], required: boolean): Promise<boolean> {
  const keys = names.map((name) => state.keyOf(name));
  try {
    await drop(state, names, () => state.engine.store.remove(state.address, keys));
  } catch (error) {
    return unconfirmed(state, 'delete', error, required);
  }
  return true;
}

/** What may have changed, or may still change, is made up for when Redis returns; nobody is asked now. */
export function doubt(state: ScopeState, names: readonly string[], tags: readonly string[]): void {
  const { engine, address } = state;
  for (const name of names) state.invalidate(name);
  engine.unconfirmed.addNames(address, names);
  if (tags.length > 0) {
    const implied = engine.impliedTags.of(tags);
    engine.tags.ban(address, implied);
    engine.unconfirmed.addTags(address, implied);
  }
}

/** Ends all entries of the scope in one step. @returns whether Redis confirmed, as `write` */
export function clear(state: ScopeState, required: boolean): Promise<boolean> {
  return timed(state, 'clear', () => clearNow(state, required));
}

async function clearNow(state: ScopeState, required: boolean): Promise<boolean> {
  const { engine } = state;
  state.invalidateAll();
  const sent = engine.unconfirmed.moment;
  try {
    await engine.store.clear(state.address);
  } catch (error) {
    state.invalidateAll();
    engine.unconfirmed.addAll(state.address);
    return unconfirmed(state, 'clear', error, required);
  }
  state.invalidateAll();
  engine.unconfirmed.settleAll(state.address, sent);
  engine.troubles.worked(state.address.tier, 'clear');
  return true;
}

/**
 * Ends all entries of an address that have one of the tags, or one that those imply.
 *
 * @returns whether Redis confirmed, as `write`
 */
export async function invalidateTags(target: Target, tags: readonly string[], required: boolean): Promise<boolean> {
  const { engine, address } = target;
  const names = engine.impliedTags.of(tags);
  if (names.length === 0) return true;
  try {
    await timed(target, 'invalidate_tags', async () => engine.tags.invalidate(address, names));
  } catch (error) {
    engine.unconfirmed.addTags(address, names);
    return unconfirmed(target, 'invalidateTags', error, required);
  }
  engine.troubles.worked(address.tier, 'invalidateTags');
  return true;
}

/**
 * Deletes the entries whose names match, in batches, then announces the pattern.
 *
 * Leases go first: a load that ends before its lease is found has stored its entry before the entries are listed.
 */
export async function removeByPattern(
  state: ScopeState,
  pattern: string,
  options: PatternOptions = {},
): Promise<PatternDeletion> {
  const compiled = compilePattern(pattern);
  return timed(state, 'delete_by_pattern', () => removeMatching(state, pattern, compiled, options));
}

export interface PatternOptions {
  /** Only counts. @default false */
  readonly dryRun?: boolean;
  /** Rejects with `ERR_CACHE_UNCONFIRMED` where it would resolve to `confirmed: false`. @default false */
  readonly required?: boolean;
  /** Told how many there were so far, after each batch. @default nobody */
  readonly onProgress?: (deleted: number) => void;
}

async function removeMatching(
  state: ScopeState,
  pattern: string,
  compiled: KeyPattern,
  { dryRun = false, required = false, onProgress }: PatternOptions,
): Promise<PatternDeletion> {
  const { engine, stats } = state;
  const matches = (name: string): boolean => compiled.matches(name);
  let deleted = 0;
  const tell = (): void => {
    undisturbed(
      () => onProgress?.(deleted),
      (error) => engine.logger.warn({ error: String(error) }, 'a listener to the progress of a deletion failed'),
    );
  };
  if (!dryRun) state.invalidateMatching(matches);
  try {
    if (!dryRun) await engine.store.voidLeases(state.address, compiled);
    for await (const keys of engine.store.scan(state.address, compiled, true)) {
      if (!dryRun && keys.length > 0) await engine.store.remove(state.address, keys);
      deleted += keys.length;
      tell();
    }
    if (!dryRun) await engine.store.announcePattern(state.address, pattern);
  } catch (error) {
    if (!dryRun) engine.unconfirmed.addPattern(state.address, pattern);
    unconfirmed(state, 'deleteByPattern', error, required);
    return { deleted, confirmed: false };
  } finally {
    if (!dryRun) state.invalidateMatching(matches);
  }
  engine.troubles.worked(state.address.tier, 'deleteByPattern');
  if (!dryRun) stats.deletes += deleted;
  return { deleted, confirmed: true };
}

function detailsOf(state: ScopeState, names: readonly string[]): SpanDetails | undefined {
  const [first] = names;
  if (state.timers === undefined || first === undefined) return undefined;
  return names.length === 1 ? { key: state.keyOf(first) } : { count: names.length };
}

/** What is changed: a scope, or all of them. */
type Target = Pick<ScopeState, 'engine' | 'address' | 'stats' | 'timers'>;

function unconfirmed(state: Target, operation: string, error: unknown, required: boolean): false {
  const { tier } = state.address;
  state.stats.errors++;
  state.timers?.telemetry.noteError?.(error);
  state.engine.troubles.failed(tier, operation, error);
  state.engine.logger.debug({ tier, operation, error: String(error) }, 'Redis did not confirm a change');
  if (!required) return false;
  throw unconfirmedError(tier, operation, error);
}
