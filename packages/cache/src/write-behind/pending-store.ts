import type { Sealed } from '@tierkit/core';
import type { ScopeAddress } from '../scope-address.ts';
import type { Lifetime } from '../stores/store.ts';
import type { StampedTags } from '../tags/stamped-tags.ts';

/**
 * What was written behind and is not in the source of truth yet: what a driver has to do. Each scope has a part of its own,
 * in its own slot, and each queue its own part of that.
 *
 * - Of a name only the latest write is kept, with a version above that of every earlier write of the scope as long as the
 *   server's clock does not go back.
 * - A name belongs to one queue while it is pending.
 * - Every method is one atomic step, and rejects with a `TierkitError` within a bounded time; after a rejection the step
 *   may or may not have been made.
 */
export interface PendingStore {
  /** Now, in the store's measure of how long a call may take. */
  readonly moment: number;
  /** What was given up. */
  readonly letters: LetterStore;
  /** Whether `enqueue` changes the scope's cached entries in the same step. */
  changesCache(scope: ScopeAddress): boolean;
  /** Whether this store may answer while the second level does not. */
  readonly apart: boolean;

  /**
   * Lists the scope among those that have writes of the queue, before the first one.
   *
   * @returns a number that is higher with each registration; `enqueue` takes the scope into use with it
   */
  register(queue: QueueKeys, scope: ScopeAddress, since?: number): Promise<number>;
  /** Keeps the writes in order. @returns `'closed'` when the scope has to be registered first, and nothing was kept */
  enqueue(
    queue: QueueKeys,
    scope: ScopeAddress,
    request: EnqueueRequest,
    since?: number,
  ): Promise<readonly EnqueueOutcome[] | 'closed'>;
  /** What is pending of the names, of any queue. Replayed writes do not show: newer ones may be in the source. */
  find(scope: ScopeAddress, names: readonly string[]): Promise<(PendingWrite | undefined)[]>;

  /** Takes writes that are due, the oldest first, for as long as the lease; nobody else gets them until it is over. */
  claim(queue: QueueKeys, scope: ScopeAddress, bounds: ClaimBounds): Promise<Claimed>;
  /** Removes writes that are in the source, unless a newer one took their place, which is due at once. */
  settle(queue: QueueKeys, scope: ScopeAddress, lease: number, writes: readonly Settled[]): Promise<void>;
  /** Gives writes back to be claimed again after a while, if the lease still holds. */
  giveBack(queue: QueueKeys, scope: ScopeAddress, lease: number, writes: readonly GivenBack[]): Promise<void>;
  /** Extends a lease. @returns what it became, and how many of the names it still held */
  renew(
    queue: QueueKeys,
    scope: ScopeAddress,
    lease: number,
    names: readonly string[],
    leaseMs: number,
  ): Promise<{ readonly lease: number; readonly held: number }>;
  /** Keeps a write again that was given up, under its old version, unless something of the name is pending. */
  revive(queue: QueueKeys, scope: ScopeAddress, write: PendingWrite, registration: number): Promise<Revived>;

  /** How much the queue has of a scope. */
  measure(queue: QueueKeys, scope: ScopeAddress): Promise<Measured>;
  /** Takes a scope off the list that has no writes of the queue, unless it was registered after this registration. */
  unregister(queue: QueueKeys, scope: ScopeAddress, registration: number): Promise<void>;
  /** A page of the registered scopes, in no particular order; empty at the end. */
  registered(queue: QueueKeys, from: number, count: number): Promise<readonly Registered[]>;
  /** Whether this caller is the one that looks at all scopes in the interval, and the backlog as it was last noted. */
  takeTurn(queue: QueueKeys, everyMs: number): Promise<{ readonly mine: boolean; readonly backlog: number }>;
  noteBacklog(queue: QueueKeys, backlog: number, keptMs: number): Promise<void>;

  /** Tiers of which something was ever written behind. */
  tiers(): Promise<readonly string[]>;
}

/** Writes that were given up, of each queue in the order in which they were. */
export interface LetterStore {
  /** Keeps what is given up. The oldest go when there are about `most`. */
  bury(queue: QueueKeys, letters: readonly Omit<Letter, 'id'>[], most: number): Promise<void>;
  /** A page of those after an id, `''` for the first. */
  list(queue: QueueKeys, after: string, count: number): Promise<readonly Letter[]>;
  count(queue: QueueKeys): Promise<number>;
  /** @returns how many there were */
  discard(queue: QueueKeys, ids: readonly string[]): Promise<number>;
  /** All that there are, in one step. @returns how many */
  discardAll(queue: QueueKeys): Promise<number>;
}

/** Where the parts of a queue are that do not belong to a scope. */
export interface QueueKeys {
  readonly name: string;
  /** The registered scopes; what begins with it is the queue's as well. */
  readonly registry: string;
}

export interface NewWrite {
  /** The full key of the cached entry. */
  readonly key: string;
  readonly name: string;
  readonly deleted: boolean;
  readonly sealed: Sealed;
  readonly tags: StampedTags | undefined;
  readonly lifetime: Lifetime;
}

export interface EnqueueRequest {
  readonly writes: readonly NewWrite[];
  /** 0 when the scope is thought to be in use already. */
  readonly registration: number;
  /** Names of the scope that may be pending. */
  readonly maxBacklog: number;
}

/** The version that a write has, or why it was refused. */
export type EnqueueOutcome = number | 'full' | 'other-queue';

export interface PendingWrite {
  readonly name: string;
  readonly version: number;
  /** In the store's time, milliseconds since 1970. */
  readonly enqueuedAtMs: number;
  readonly deleted: boolean;
  /** Whether it was given up once: reads do not see it. */
  readonly replayed: boolean;
  readonly flags: number;
  readonly payload: Buffer;
}

export interface ClaimBounds {
  readonly count: number;
  readonly bytes: number;
  readonly leaseMs: number;
}

export interface ClaimedWrite extends PendingWrite {
  /** How often it failed by itself. */
  readonly failures: number;
  /** How many claims in a row, this one included, ended without a word from whoever had it. */
  readonly claims: number;
}

export interface Claimed {
  /** Names the claim, and is over at that time. */
  readonly lease: number;
  readonly writes: readonly ClaimedWrite[];
}

export type Settled = Pick<PendingWrite, 'name' | 'version'>;

export interface GivenBack extends Settled {
  readonly delayMs: number;
  /** Including this one. */
  readonly failures: number;
}

export interface Measured {
  readonly backlog: number;
  /** How long the oldest one has been waiting. */
  readonly oldestAgeMs: number;
  /** Those that may be claimed now. */
  readonly due: number;
}

export interface Registered {
  readonly generationKey: string;
  readonly registration: number;
  /** How long ago that was. */
  readonly ageMs: number;
}

/** What became of a write that is to be kept again. */
export type Revived = 'revived' | 'superseded' | 'closed';

/** A write that was given up. */
export interface Letter {
  readonly id: string;
  readonly generationKey: string;
  readonly write: PendingWrite;
  readonly reason: string;
  readonly failures: number;
}
