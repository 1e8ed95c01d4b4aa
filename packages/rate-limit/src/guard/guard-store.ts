import type { GuardRuleSettings } from './guard-options.ts';

/** How one account or address stands. */
export interface Standing {
  /** Until when it is blocked, in milliseconds from now; 0 if it is not. */
  readonly blockedMs: number;
  /** Failures before the block, 1 at the least; 0 while it is blocked, and for the attempt that blocks those after it. */
  readonly left: number;
}

/**
 * Where a guard counts failures in a row and blocks. Each method is one atomic step on one clock, which is the store's own.
 *
 * What is found there and is no count counts as none, and is replaced.
 */
export interface GuardStore {
  standing(key: string, rule: GuardRuleSettings): Promise<Standing>;
  /** Counts a failure, the last of which blocks. While it is blocked, nothing is counted and no block prolonged. */
  failed(key: string, rule: GuardRuleSettings): Promise<Standing>;
  /** As `failed`, for an attempt that is yet to be made: the last one blocks those after it, and may itself be made. */
  attempt(key: string, rule: GuardRuleSettings): Promise<Standing>;
  /**
   * Takes one failure back, or all of them, which ends a block as well. A block that an attempt made ahead does not count
   * among the blocks then.
   */
  takeBack(key: string, rule: GuardRuleSettings, what: 'one' | 'all'): Promise<void>;
  /** Forgets failures and blocks. */
  forget(key: string): Promise<void>;
}
