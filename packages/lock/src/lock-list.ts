import { lockError } from './errors.ts';
import { listedName, type ListedName } from './lock-name.ts';
import type { LockStore, StoredLock } from './stores/lock-store.ts';

export interface ListLocksOptions {
  /** The most locks of the page, up to 1,000. @default 100 */
  readonly limit?: number | undefined;
  /** The last page's, to go on behind it. */
  readonly cursor?: string | undefined;
}

/** A lock or semaphore that somebody holds or waits for. `inspect` and `forceRelease` take it as a name. */
export interface ListedLock extends ListedName {
  /** How many hold it. */
  readonly holders: number;
  /** How many wait, those of dead processes too until their turn comes. */
  readonly waiting: number;
  /** Whether what stands in its place was not written by a lock: nobody can take it until `forceRelease` has removed that. */
  readonly foreign: boolean;
}

export interface LockPage {
  readonly locks: readonly ListedLock[];
  /** Absent on the last page. A page may have few locks, or none, and not be the last. */
  readonly cursor?: string;
}

const LIST = new Set(['limit', 'cursor']);

/** @throws {TierkitError} `ERR_LOCK_OPTIONS`, and what the store throws */
export async function listLocks(store: LockStore, options: ListLocksOptions): Promise<LockPage> {
  if (typeof options !== 'object' || options === null) throw invalid(['options must be an object']);
  const { limit = 100, cursor } = options;
  const faults: string[] = [];
  for (const name of Object.keys(options)) if (!LIST.has(name)) faults.push(`${name} is not an option`);
  if (!Number.isSafeInteger(limit) || limit < 1 || limit > 1_000) {
    faults.push('limit takes a whole number from 1 to 1000');
  }
  if (cursor !== undefined && typeof cursor !== 'string') faults.push('cursor is a text');
  if (faults.length > 0) throw invalid(faults);
  const page = await store.list(limit, cursor);
  if (page === undefined) throw invalid(['the cursor is none that a page gave']);
  const locks = page.locks.map(listed);
  return page.cursor === undefined ? { locks } : { locks, cursor: page.cursor };
}

function listed({ resource, holders, waiting, foreign }: StoredLock): ListedLock {
  return { ...listedName(resource), holders, waiting, foreign };
}

function invalid(faults: readonly string[]): Error {
  return lockError('ERR_LOCK_OPTIONS', faults.join('; '), { faults });
}
