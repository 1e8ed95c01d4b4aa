import { isHashedKey, TierkitError } from '@tierkit/core';
import { scopeId } from '../scope-address.ts';
import type { ScopeState } from '../scope-state.ts';
import type { StampedTags } from '../tags/stamped-tags.ts';
import { updateThrough, writeThrough } from '../writes/write-through.ts';
import { drop, put, type EncodedValue, type WritePlan } from '../writes/entry-steps.ts';
import { WriteBehindQueue } from './queue.ts';

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
  const { name, sealed } = entry;
  checkBehind(state, queue, name);
  const add = (tags: StampedTags | undefined): Promise<number> =>
    queue.add(address, { key: state.keyOf(name), name, deleted: false, tags, sealed, lifetime: plan });
  try {
    if (engine.behind.pending.changesCache(address)) return await put(state, [entry], plan, add);
    const { saved } = await writeThrough(state, entry, () => add(undefined), plan);
    return saved;
  } catch (error) {
    throw unconfirmed(error, queue, address.tier);
  }
}

/** Deletes a key and puts that into the queue. @see writeBehind */
export async function deleteBehind(state: ScopeState, queue: WriteBehindQueue, name: string): Promise<number> {
  const { address, engine } = state;
  checkBehind(state, queue, name);
  const fixed = { tags: undefined, sealed: NOTHING, lifetime: NO_TIME };
  const add = (): Promise<number> => queue.add(address, { key: state.keyOf(name), name, deleted: true, ...fixed });
  try {
    if (engine.behind.pending.changesCache(address)) return await drop(state, [name], add);
    let version = 0;
    const update = async (): Promise<undefined> => void (version = await add());
    await updateThrough(state, name, update, { ...NO_TIME, tags: [], sensitive: false });
    return version;
  } catch (error) {
    throw unconfirmed(error, queue, address.tier);
  }
}

function checkBehind({ address, engine }: ScopeState, queue: WriteBehindQueue, name: string): void {
  if (!(queue instanceof WriteBehindQueue) || !queue.isOf(engine.behind.pending)) {
    const message = 'a write behind takes a queue that this cache made';
    throw new TierkitError('ERR_CACHE_OPTIONS', message, { details: { option: 'queue' } });
  }
  if (isHashedKey(name) || isHashedKey(scopeId(address) ?? '')) {
    const message =
      'a key that is written behind takes 512 bytes at most, as does the id of its scope: the sink needs them';
    throw new TierkitError('ERR_KEY_INVALID', message);
  }
}

/** What Redis did not take is told as such, whatever was wrong with it. */
function unconfirmed(error: unknown, queue: WriteBehindQueue, tier: string): unknown {
  if (!(error instanceof TierkitError) || !error.code.startsWith('ERR_REDIS_')) return error;
  const message = 'Redis did not confirm a write behind; it may still take effect';
  const details = { queue: queue.name, tier, applied: error.details['applied'] };
  return new TierkitError('ERR_WRITE_BEHIND_UNCONFIRMED', message, { cause: error, details });
}
