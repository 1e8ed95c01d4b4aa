/** Who decided a call. */
export type LimitSource =
  /** Redis, on its clock. */
  | 'redis'
  /** This process, which is all that a limiter on `'memory'` has. */
  | 'memory'
  /** This process, which remembers a denial by Redis that still holds. */
  | 'shield'
  /** The list of subjects that are always allowed, or always denied. */
  | 'list'
  /** Nobody: Redis did not answer, and `onUnavailable` is `'open'`. */
  | 'open'
  /** Nobody: Redis did not answer, and `onUnavailable` is `'closed'`. */
  | 'closed'
  /** This process, for Redis, which did not answer: `onUnavailable` is `'memory'`. */
  | 'fallback';

/** How one policy stands for a subject. */
export interface PolicyStatus<Name extends string = string> {
  readonly name: Name;
  /** The most that it lets through at once, for this call. */
  readonly limit: number;
  /** What it would still let through, in whole units. */
  readonly remaining: number;
  /** Milliseconds, rounded up, until nothing is counted any more. */
  readonly resetMs: number;
  /** Milliseconds, rounded up, until the cost fits; 0 if it does, Infinity if it never will. */
  readonly retryAfterMs: number;
}

export interface LimitResult<Name extends string = string> {
  readonly allowed: boolean;
  /** Of the policy that decided, like `remaining` and `resetMs`. Infinity where nobody counted. */
  readonly limit: number;
  readonly remaining: number;
  readonly resetMs: number;
  /**
   * Milliseconds until the same call is allowed if nobody else takes anything: 0 if it was allowed, Infinity if its cost is
   * above a limit, so that waiting is of no use.
   */
  readonly retryAfterMs: number;
  /**
   * What decided: of a denial the policy that holds for the longest, or `'block'`; else the one with the least left.
   * Undefined where none was asked.
   */
  readonly policy: Name | 'block' | undefined;
  readonly source: LimitSource;
  /** In shadow mode, that a call was let through which would have been denied. */
  readonly shadowed: boolean;
  /** Every policy, in the limiter's order; empty where none was asked. */
  readonly policies: readonly PolicyStatus<Name>[];
}
