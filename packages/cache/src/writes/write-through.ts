import type { Sealed } from '@tierkit/core';
import { freshName } from '../stores/fresh-generation.ts';
import { keepLease } from '../loads/load-run.ts';
import type { ScopeState } from '../scope-state.ts';
import type { StampedTags } from '../tags/stamped-tags.ts';
import type { Lease, Lifetime } from '../stores/store.ts';
import { timed } from '../telemetry/cache-timers.ts';
import { writtenEntry, type EncodedValue, type WritePlan } from './entry-steps.ts';
import { encodeValue, remove } from './writes.ts';

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
  plan: WritePlan,
): Promise<WriteThrough<R>> {
  const change = async (): Promise<Changed<R>> => ({ saved: await save(), entry });
  const { saved, end, confirmed } = await changeThrough(state, entry.name, change, plan);
  return { saved, stored: end === 'stored', confirmed };
}

/** Changes the source, then stores what it made of the value. A value that cannot be stored is reported. */
export async function updateThrough(
  state: ScopeState,
  name: string,
  update: (asked: boolean) => Promise<unknown>,
  plan: WritePlan & { readonly sensitive: boolean },
): Promise<UpdateThrough> {
  const { engine, address } = state;
  const key = state.keyOf(name);
  const change = async (asked: boolean): Promise<Changed<void>> => {
    const value = await update(asked);
    if (value === undefined) return { saved: undefined, entry: undefined };
    try {
      const entry = encodeValue(state, name, value, plan.sensitive);
      engine.troubles.stored(key);
      return { saved: undefined, entry };
    } catch (error) {
      engine.troubles.unstorable(address.tier, key, error, 'an updated value cannot be stored');
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
function changeThrough<R>(
  state: ScopeState,
  name: string,
  change: (asked: boolean) => Promise<Changed<R>>,
  plan: WritePlan,
): Promise<ChangedThrough<R>> {
  return timed(state, 'write_through', () => changeBoth(state, name, change, plan), { key: state.keyOf(name) });
}

interface ChangedThrough<R> {
  readonly saved: R;
  readonly end: 'stored' | End;
  readonly confirmed: boolean;
}

async function changeBoth<R>(
  state: ScopeState,
  name: string,
  change: (asked: boolean) => Promise<Changed<R>>,
  plan: WritePlan,
): Promise<ChangedThrough<R>> {
  const begun = await begin(state, name, plan);
  const lease = begun?.lease;
  const token = state.level1.begin(name);
  const stopRenewing = lease && keepLease(state, lease);
  try {
    const { saved, entry: made } = await change(begun !== undefined);
    const sentMs = state.engine.clock.monotonic();
    const end = begun === undefined ? 'away' : await fill(state, begun, made?.sealed, plan);
    if (end !== 'stored' || made === undefined) return { saved, end, confirmed: await leaveNone(state, name, end) };
    // Who asked while the save ran may wait for a load of the older value: nobody joins them any more.
    const unchanged = token.valid;
    state.invalidate(name);
    token.valid = unchanged;
    const entry = writtenEntry(state, made.payload, sentMs, plan, begun?.tags);
    state.level1.fill(token, entry, state.engine.clock.monotonic());
    token.valid = false;
    return { saved, end, confirmed: true };
  } catch (error) {
    // The source may have taken the value all the same, so that nobody knows which one is right.
    await leaveNone(state, name, lease === undefined ? 'away' : 'lost');
    throw error;
  } finally {
    stopRenewing?.();
    state.level1.end(token);
  }
}

/** The right to store, and the tags as they stood before the source was changed. */
interface Begun {
  readonly lease: Lease;
  readonly tags: StampedTags | undefined;
}

async function begin(state: ScopeState, name: string, plan: WritePlan): Promise<Begun | undefined> {
  const { store, sharing, unconfirmed } = state.engine;
  state.invalidate(name);
  const sent = unconfirmed.moment;
  try {
    const [lease, tags] = await Promise.all([
      store.beginWrite(state.address, state.keyOf(name), freshName(), sharing.leaseMs),
      state.engine.tags.stamp(state.address, plan.tags, plan.ttlMs + plan.graceMs),
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

async function fill(
  state: ScopeState,
  { lease, tags }: Begun,
  sealed: Sealed | undefined,
  lifetime: Lifetime,
): Promise<'stored' | End> {
  const { store, sharing } = state.engine;
  try {
    if (sealed === undefined) return (await store.renew(state.address, lease, sharing.leaseMs)) ? 'held' : 'lost';
    const entry = { key: lease.key, tags, ...sealed };
    if (!(await store.fill(state.address, lease, entry, lifetime))) return 'lost';
    state.stats.writes++;
    state.stats.bytesWritten += sealed.payload.length;
    state.engine.troubles.worked(state.address.tier, 'write through');
    state.engine.accessLog?.set(state.address, lease.key, sealed.payload.length);
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

function report({ stats, engine, timers, address }: ScopeState, error: unknown): void {
  stats.errors++;
  timers?.telemetry.noteError?.(error);
  engine.troubles.failed(address.tier, 'write through', error);
  engine.logger.debug({ tier: address.tier, error: String(error) }, 'Redis did not confirm a write through');
}
