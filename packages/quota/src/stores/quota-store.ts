import type { Window } from '../periods/windows.ts';

/** What happens to an amount for which there is not enough room: nothing is counted, what fits is, or all of it. */
export type Overflow = 'reject' | 'partial' | 'allow';

/** One limit that an amount is held against: of a metric in one window, or of a gauge, which has none. */
export interface Row {
  readonly period: string;
  readonly window: Window | undefined;
  /** Infinity for none. */
  readonly limit: number;
  /** Whether this limit stands, even if the subject has a stored one. */
  readonly fixed: boolean;
  /** Parts of the limit, ascending. */
  readonly thresholds: readonly number[];
}

export interface Item {
  readonly metric: string;
  readonly amount: number;
  readonly overflow: Overflow;
  readonly rows: readonly Row[];
}

export type Verb = 'read' | 'add' | 'set' | 'reset' | 'reserve' | 'commit' | 'release';

export interface StoreRequest {
  readonly verb: Verb;
  /** Encoded, as it stands between the braces of the keys. */
  readonly subject: string;
  /** Encoded; '' for none. */
  readonly id: string;
  /** Of this call alone: a command that the client sends twice has the same. */
  readonly call: string;
  /** How long the id is remembered after this. */
  readonly idTtlMs: number;
  readonly holdTtlMs: number;
  readonly items: readonly Item[];
}

export interface RowState {
  readonly period: string;
  readonly window: Window | undefined;
  readonly limit: number;
  readonly used: number;
  readonly held: number;
}

export interface ItemState {
  readonly metric: string;
  /** What was counted or held of the amount. */
  readonly granted: number;
  readonly rows: readonly RowState[];
}

/** A threshold that was reached. */
export interface Crossing {
  readonly metric: string;
  readonly period: string;
  readonly threshold: number;
}

export interface Decision {
  /**
   * `repeated` and `released` answer what was decided first under this id; after `expired` there is no such hold.
   */
  readonly status: 'counted' | 'refused' | 'repeated' | 'released' | 'expired';
  readonly nowMs: number;
  readonly items: readonly ItemState[];
  readonly crossings: readonly Crossing[];
  /** When the hold that was made or found expires. */
  readonly holdExpiresMs: number;
}

/** `period`: a window is not the current one by the store's clock. `conflict`: the id stands for another request. */
export type StoreReply =
  | Decision
  | { readonly status: 'period'; readonly nowMs: number }
  | { readonly status: 'conflict'; readonly nowMs: number };

/** What a hold takes: by metric and window. */
export interface HeldRow {
  readonly metric: string;
  readonly period: string;
  readonly window: Window | undefined;
  readonly amount: number;
}

export interface HistoryRequest {
  readonly subject: string;
  readonly period: string;
  readonly windows: readonly Window[];
  readonly metrics: readonly string[];
}

export interface LimitChange {
  readonly metric: string;
  readonly period: string;
  /** null removes the stored limit. */
  readonly limit: number | null;
}

/**
 * Where quotas are kept. Every method is atomic, for all processes that share the store, and judges by the store's clock.
 */
export interface QuotaStore {
  /**
   * Decides a request on all of its rows at once: either every row of every item is written, or none.
   *
   * - What is used and held, and the amount, never exceed the limit of a row, except by `allow` and `set`.
   * - Where the id was decided before, nothing is written and the first decision answered.
   * - A hold that has expired takes no room. `commit` and `release` end a hold and free what it takes; the windows are
   *   those of the hold, even if they are over.
   * - A threshold is reported once for each window; of a gauge, once whenever it is reached from below. Until it is
   *   confirmed as told, a repeat of its id reports it too: of the same call at once, of another a second later.
   * - `reset` forgets what is used in the windows of its rows, and what was told of them; ids, holds and gauges stay.
   * - A window is kept for 35 days after its end.
   */
  decide(request: StoreRequest, since?: number): Promise<StoreReply>;
  /** As of a Redis connection: where the deadline of a call of several requests begins. */
  readonly moment: number;
  readonly source: 'redis' | 'memory';
  /** What a hold takes, undefined if there is none. */
  findHold(subject: string, id: string, since?: number): Promise<readonly HeldRow[] | undefined>;
  /** What was used of each metric in each window, 0 where nothing is known. */
  history(request: HistoryRequest, since?: number): Promise<readonly (readonly number[])[]>;
  storeLimits(subject: string, changes: readonly LimitChange[]): Promise<void>;
  /** Says that the crossings of a decision were told, so that a repeat of its id does not report them again. */
  confirmTold(subject: string, id: string): Promise<void>;
  /** Resolves once the store can be used. */
  ready(timeoutMs: number): Promise<void>;
  close(): Promise<void>;
}

/** How long a window is kept after its end, so that a report of last month can still be made. */
export const KEEP_MS = 35 * 86_400_000;

/** For how long a threshold is left to the call that reached it, before a repeat of its id may tell. */
export const TELL_AFTER_MS = 1_000;

/** Two requests under one id are the same if this is. */
export function fingerprint({ verb, items }: StoreRequest): string {
  return `${verb} ${items.map(({ metric, amount }) => `${metric}=${amount}`).join(' ')}`;
}
