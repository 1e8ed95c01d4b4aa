import type { Sealed } from '@tierkit/core';
import { freshName } from './fresh-generation.ts';
import type { LoadPlan, ScopeState } from './scope-state.ts';
import type { StampedTags } from './stamped-tags.ts';
import type { Lease } from './store.ts';
import { encodeValue, remove, type EncodedValue } from './writes.ts';

/** How a write through the cache ended, once the source has the value. */
export interface WriteThrough<R> {
  /** What `save` resolved to. */
  readonly saved: R;
  /** Whether the cache holds the value. False also where another change of the key came between. */
  readonly stored: boolean;
  /** Whether Redis confirmed that no older value is left; if not, the key is invalidated when Redis returns. */
  readonly confirmed: boolean;
}

/** How an update through the cache ended. */
export interface UpdateThrough extends Omit<WriteThrough<never>, 'saved'> {
  /** Whether nobody else changed the key meanwhile. False also where Redis could not tell. */
  readonly alone: boolean;
}

/** What a change of the source made of a value; without an entry there is none to store. */
interface Changed<R> {
  readonly saved: R;
  readonly entry: EncodedValue | undefined;
}

/** Saves a value in the source, then stores it. @see changeThrough */
export async function writeThrough<R>(
  state: ScopeState,
  entry: EncodedValue,
  save: () => Promise<R>,
  plan: Pick<LoadPlan, 'ttlMs' | 'tags'>,
): Promise<WriteThrough<R>> {
  const change = async (): Promise<Changed<R>> => ({ saved: await save(), entry });
  const { saved, end, confirmed } = await changeThrough(state, entry.name, change, plan);
  return { saved, stored: end === 'stored', confirmed };
}

/** Changes the source, then stores what it made of the value. A value that cannot be stored is reported. */
export async function updateThrough(
  state: ScopeState,
  name: string,
  update: () => Promise<unknown>,
  plan: LoadPlan,
): Promise<UpdateThrough> {
  const change = async (): Promise<Changed<void>> => {
    const value = await update();
    if (value === undefined) return { saved: undefined, entry: undefined };
    try {
      return { saved: undefined, entry: encodeValue(state, name, value, plan.sensitive) };
    } catch (error) {
      state.engine.logger.warn({ tier: state.address.tier, error: String(error) }, 'an updated value cannot be stored');
      return { saved: undefined, entry: undefined };
    }
  };
  const { end, confirmed } = await changeThrough(state, name, change, plan);
  return { stored: end === 'stored', confirmed, alone: end === 'stored' || end === 'held' };
}

/**
 * Changes the source, then stores the value.
 *
 * One step removes the entry and takes the right to load the key for as long as the save runs: nobody can load the older
 * value and keep it, and if this process ends between the two halves nothing older is left. The value is stored only if
 * that right still holds. Of two writers at once the later one took it from the earlier, who then removes what is there:
 * none can leave the value that the other one replaced in the source.
 */
async function changeThrough<R>(
  state: ScopeState,
  name: string,
  change: () => Promise<Changed<R>>,
  plan: Pick<LoadPlan, 'ttlMs' | 'tags'>,
): Promise<{ readonly saved: R; readonly end: 'stored' | End; readonly confirmed: boolean }> {
  const begun = await begin(state, name, plan);
  const lease = begun?.lease;
  const token = state.level1.begin(name);
  const renewal = lease && keepAlive(state, lease);
  try {
    const { saved, entry: made } = await change();
    const sentMs = state.engine.clock.monotonic();
    const end = begun === undefined ? 'away' : await fill(state, begun, made?.sealed, plan.ttlMs);
    if (end !== 'stored' || made === undefined) return { saved, end, confirmed: await leaveNone(state, name, end) };
    // Who asked while the save ran may wait for a load of the older value: nobody joins them any more.
    const unchanged = token.valid;
    state.invalidate(name);
    token.valid = unchanged;
    const { payload } = made;
    const tags = state.level1Tags(begun?.tags);
    const entry = { bytes: payload.length, expiresAtMs: sentMs + plan.ttlMs, tags, payload };
    state.level1.fill(token, entry, state.engine.clock.monotonic());
    token.valid = false;
    return { saved, end, confirmed: true };
  } catch (error) {
    // The source may have taken the value all the same, so that nobody knows which one is right.
    await leaveNone(state, name, lease === undefined ? 'away' : 'lost');
    throw error;
  } finally {
    clearInterval(renewal);
    state.level1.end(token);
  }
}

/** The right to store, and the tags as they stood before the source was changed. */
interface Begun {
  readonly lease: Lease;
  readonly tags: StampedTags | undefined;
}

async function begin(
  state: ScopeState,
  name: string,
  { ttlMs, tags: names }: Pick<LoadPlan, 'ttlMs' | 'tags'>,
): Promise<Begun | undefined> {
  const { store, load, unconfirmed } = state.engine;
  state.invalidate(name);
  const sent = unconfirmed.moment;
  try {
    const [lease, tags] = await Promise.all([
      store.beginWrite(state.address, state.keyOf(name), freshName(), load.leaseMs),
      state.engine.tags.stamp(state.address, names, ttlMs),
    ]);
    unconfirmed.settle(state.address, [name], sent);
    return { lease, tags };
  } catch (error) {
    report(state, error);
    return undefined;
  } finally {
    state.invalidate(name);
  }
}

function keepAlive({ engine, address, stats }: ScopeState, lease: Lease): NodeJS.Timeout {
  const { leaseMs } = engine.load;
  const renewal = setInterval(() => {
    if (engine.closed) return clearInterval(renewal);
    engine.store.renew(address, lease, leaseMs).catch(() => stats.errors++);
  }, leaseMs / 3);
  return renewal.unref();
}

async function fill(
  state: ScopeState,
  { lease, tags }: Begun,
  sealed: Sealed | undefined,
  ttlMs: number,
): Promise<'stored' | End> {
  const { store, load } = state.engine;
  try {
    if (sealed === undefined) return (await store.renew(state.address, lease, load.leaseMs)) ? 'held' : 'lost';
    const entry = { key: lease.key, tags, ...sealed };
    if (!(await store.fill(state.address, lease, entry, ttlMs))) return 'lost';
    state.stats.writes++;
    return 'stored';
  } catch (error) {
    report(state, error);
    return 'away';
  }
}

/** Why a value is not stored: there is none, the right to was lost, or the call has spent its deadline on Redis already. */
type End = 'held' | 'lost' | 'away';

async function leaveNone(state: ScopeState, name: string, end: 'stored' | End): Promise<boolean> {
  if (end !== 'away') return remove(state, [name], false);
  state.invalidate(name);
  state.engine.unconfirmed.addNames(state.address, [name]);
  return false;
}

function report({ stats, engine, address }: ScopeState, error: unknown): void {
  stats.errors++;
  engine.logger.debug({ tier: address.tier, error: String(error) }, 'Redis did not confirm a write through');
}
