/** What a policy says of one subject. */
export interface Reading {
  /** Whole units that still fit. */
  readonly remaining: number;
  /** Until nothing is counted. */
  readonly resetUs: number;
  /** Until the cost fits if nothing else is counted: 0 if it does, -1 if it is above the limit. */
  readonly retryUs: number;
}

export interface Decision {
  readonly allowed: boolean;
  /** What is left of a block, which goes before all policies; 0 without one. */
  readonly blockedUs: number;
  /** One for each policy, in their order; of an allowed cost, with it. */
  readonly readings: readonly Reading[];
}

/** The numbers of all policies, in their order: what their limits are in this call. */
export type Parameters = readonly (readonly number[])[];

/** What was counted under an id. */
export interface Taking {
  readonly cost: number;
  readonly id?: string | undefined;
}

/**
 * Where a limiter counts. Subjects and ids are given encoded.
 *
 * Each method is one atomic step on one clock, which is the store's own. Nothing is counted unless everything fits: a
 * cost that one policy denies is counted by none, and a denial changes nothing at all.
 */
export interface LimitStore {
  /**
   * Counts the cost with all policies if it fits all of them and the subject is not blocked.
   *
   * A cost that was allowed under an id is not counted again under that id while it is remembered: it is allowed, whatever
   * has happened since.
   */
  consume(subject: string, parameters: Parameters, taking: Taking): Promise<Decision>;
  /** What `consume` would decide, without counting. */
  peek(subject: string, parameters: Parameters, taking: Taking): Promise<Decision>;
  /**
   * Takes back what was counted, down to nothing at most; with an id just what was counted under it, once. It ends no block.
   *
   * @returns whether anything was taken back
   */
  refund(subject: string, parameters: Parameters, taking: Taking): Promise<boolean>;
  /** Denies the subject everything for so long from now, instead of an earlier block. */
  block(subject: string, parameters: Parameters, forMs: number): Promise<void>;
  /** Forgets what was counted and any block. */
  reset(subject: string): Promise<void>;
}
