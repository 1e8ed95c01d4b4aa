import { isHashedKey, TierkitError } from '@tierkit/core';
import { scopeId } from '../scope-address.ts';
import type { ScopeState } from '../scope-state.ts';
import type { StampedTags } from '../tags/stamped-tags.ts';
import { updateThrough, writeThrough } from '../writes/write-through.ts';
import { drop, put, type EncodedValue, type WritePlan } from '../writes/writes.ts';
import type { NewWrite } from './pending-store.ts';
import type { WriteBehindQueue } from './queue.ts';

const NOTHING = { flags: 0, payload: Buffer.alloc(0) };
const NO_TIME = { ttlMs: 1, graceMs: 0 };

/**
 * Stores a value and puts it into the queue: one step where both are in one slot of one server. Elsewhere the queue is the
 * source that the value is written through to: no entry is left while it is not known to be in the queue.
 *
 * @returns the version of the write
 */
export async function writeBehind(
  state: ScopeState,
  queue: WriteBehindQueue,
  entry: EncodedValue,
  plan: WritePlan,
): Promise<number> {
  const { address, engine } = state;
  const { pending } = engine.behind;
  checkBehind(state, queue, entry.name);
  const write = (tags: StampedTags | undefined): NewWrite => ({
    ...{ key: state.keyOf(entry.name), name: entry.name, deleted: false, tags },
    ...{ sealed: entry.sealed, lifetime: plan },
  });
  return acknowledged(queue, address.tier, async () => {
    if (!pending.changesCache(address)) {
      const { saved } = await writeThrough(state, entry, () => queue.add(address, write(undefined)), plan);
      return saved;
    }
    return put(state, [entry], plan, (stored) => queue.add(address, write(stored[0]?.tags)));
  });
}

/** Deletes a key and puts that into the queue. @see writeBehind */
export async function deleteBehind(state: ScopeState, queue: WriteBehindQueue, name: string): Promise<number> {
  const { address, engine } = state;
  const { pending } = engine.behind;
  checkBehind(state, queue, name);
  const fixed = { tags: undefined, sealed: NOTHING, lifetime: NO_TIME };
  const add = (): Promise<number> => queue.add(address, { key: state.keyOf(name), name, deleted: true, ...fixed });
  return acknowledged(queue, address.tier, async () => {
    if (pending.changesCache(address)) return drop(state, [name], add);
    let version = 0;
    const update = async (): Promise<undefined> => void (version = await add());
    await updateThrough(state, name, update, { ...NO_TIME, tags: [], sensitive: false });
    return version;
  });
}

function checkBehind({ address, engine }: ScopeState, queue: WriteBehindQueue, name: string): void {
  if (!queue.isOf(engine.behind.pending)) {
    const message = `the write-behind queue "${queue.name}" was made by another cache`;
    throw new TierkitError('ERR_CACHE_OPTIONS', message, { details: { option: 'queue' } });
  }
  if (isHashedKey(name) || isHashedKey(scopeId(address) ?? '')) {
    const message =
      'a key that is written behind takes 512 bytes at most, as does the id of its scope: the sink needs them';
    throw new TierkitError('ERR_KEY_INVALID', message);
  }
}

/** What Redis did not take is told as such, whatever was wrong with it. */
async function acknowledged(queue: WriteBehindQueue, tier: string, add: () => Promise<number>): Promise<number> {
  try {
    return await add();
  } catch (error) {
    if (!(error instanceof TierkitError) || !error.code.startsWith('ERR_REDIS_')) throw error;
    const message = 'Redis did not confirm a write behind; it may still take effect';
    const details = { queue: queue.name, tier, applied: error.details['applied'] };
    throw new TierkitError('ERR_WRITE_BEHIND_UNCONFIRMED', message, { cause: error, details });
  }
}
