/** What is asked for: one hold of a lock, by an owner whose id nobody else ever has. */
export interface LockRequest {
  /** The lock, encoded, with its kind: `lock:{name}` or `semaphore:{name}`. */
  readonly resource: string;
  /** Up to the first dot, the process; known before anything is sent, so that what may have been applied can be undone. */
  readonly owner: string;
  /** `'x'` bears no other holder. A number bears so many holders with numbers, or any number if it is 0. */
  readonly shape: Shape;
  readonly ttlMs: number;
}

export type Shape = 'x' | `${number}`;

/** `token` is a decimal integer. */
export type Taking = Taken | Busy;

interface Taken {
  readonly token: string;
}

interface Busy {
  readonly token: undefined;
  /** When to ask again if no wake-up comes: the time that a holder has left. */
  readonly retryInMs: number;
}

/** What somebody sees who looks at a lock. */
export interface LockState {
  /** A hundred at most; `list` counts all. */
  readonly holders: readonly HolderState[];
  /** Owners in the order in which they will be served, the first hundred at most. */
  readonly waiters: readonly WaiterState[];
  /** All waiters, those of dead processes too until their turn comes. */
  readonly waiting: number;
  /** The last token that was given out, or 0 if none is known. */
  readonly lastToken: bigint;
}

export interface HolderState {
  readonly owner: string;
  readonly mode: 'exclusive' | 'shared';
  /** `undefined` until a holder whose turn came has confirmed. */
  readonly token: bigint | undefined;
  readonly ttlMs: number;
}

export interface WaiterState {
  readonly owner: string;
  readonly mode: 'exclusive' | 'shared';
}

export interface StoredLock {
  readonly resource: string;
  readonly holders: number;
  readonly waiting: number;
  /** Whether what stands there was not written by a lock: nobody can take it. */
  readonly foreign: boolean;
}

export interface StoredPage {
  readonly locks: readonly StoredLock[];
  /** `undefined` on the last page. A page may hold few locks, or none, and not be the last. */
  readonly cursor: string | undefined;
}

export interface Attendance {
  /** Resolves once wake-ups arrive, or cannot for now; it never rejects. */
  readonly ready: Promise<void>;
  leave(): void;
}

/**
 * Where locks are kept.
 *
 * A lock has holders, each until its time to live has passed, and a queue of waiters in the order in which they joined.
 * Every method is atomic. They reject with `ERR_LOCK_UNAVAILABLE` when the store cannot be asked; then it is
 * unknown whether the call took effect, unless `details.applied` is `'no'`.
 */
export interface LockStore {
  /**
   * Takes the lock if no holder is in the way and nobody waits; the token is above all that were given out before.
   *
   * - `'try'` takes or leaves it: a lock that somebody waits for is busy.
   * - `'wait'` joins the queue as well, or keeps its place there, and takes the lock at the head of it. An owner that holds
   *   the lock already, because its turn came, keeps it for `ttlMs` from now and is told its token.
   */
  take(request: LockRequest, manner: 'try' | 'wait'): Promise<Taking>;

  /** Lets the owner have the lock for `ttlMs` from now. @returns false, changing nothing, if it is not the owner's any more */
  extend(request: LockRequest, token: string): Promise<boolean>;

  /**
   * Ends the owner's hold, and wakes whoever is next, in order, as many as may hold the lock together.
   *
   * @returns whether the lock was the owner's until now; another's is left alone
   */
  release(request: LockRequest, token: string): Promise<boolean>;

  /** Ends whatever the owner has, a hold or a place in the queue, as `release` does. @returns whether it was a hold */
  withdraw(request: LockRequest): Promise<boolean>;

  /**
   * Calls `wake` whenever the owner should ask again with `'wait'`: its turn has come, or a wake-up may have been lost. Whose
   * turn has come and who does not ask in `grantMs` loses it, along with the other places of its process.
   *
   * Until it is ready, and whenever wake-ups may be missed, `take` says to ask again soon.
   */
  attend(request: LockRequest, wake: () => void): Attendance;

  inspect(resource: string): Promise<LockState>;

  /**
   * Some of the locks that somebody holds or waits for, and those that cannot be read, at a cost that is bounded however
   * many there are. One that is listed all the time is on one page at least.
   *
   * @param cursor of the page before
   * @returns `undefined` if the cursor is none that a page gave
   */
  list(limit: number, cursor: string | undefined): Promise<StoredPage | undefined>;

  /**
   * Ends all holds, whoever has them, and wakes whoever is next. What was not written by a lock is removed.
   *
   * @returns whether there was any of this
   */
  forceRelease(resource: string): Promise<boolean>;

  /** Resolves once the store can be asked. @throws {TierkitError} `ERR_LOCK_UNAVAILABLE` */
  ready(timeoutMs: number): Promise<void>;

  /** Ends what the store opened. */
  close(): Promise<void>;
}

/** How long a waiter whose turn came has to confirm. */
export const GRANT_MS = 500;

/** Of a semaphore with many permits, and of those who wait, as many as somebody can look at. */
export const MOST_SHOWN = 100;

export const modeOf = (shape: string): 'exclusive' | 'shared' => (shape === 'x' ? 'exclusive' : 'shared');
