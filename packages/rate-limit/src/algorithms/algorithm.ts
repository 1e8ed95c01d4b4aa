/**
 * How one kind of policy counts. Its formulas stand here twice, as Lua for Redis and as a meter for this process, side by
 * side in one file; a property test compares them.
 *
 * Times are whole microseconds since 1970, costs whole units. A state whose times lie ahead of the clock (which goes back
 * when a replica with a slower one takes over) is taken as of now: it counts for longer, and never for ever.
 */
export interface Algorithm {
  /** Says which numbers a state consists of: states of different layouts have different keys. */
  readonly layout: string;
  /** Names of the numbers that the formulas depend on, in their order; the first is `limit`. */
  readonly parameters: readonly string[];
  readonly lua: LuaFormulas;
  /** The longest that a state says anything after a cost was counted, in microseconds. */
  readonly lastsUs: (parameters: readonly number[]) => number;
  /** A meter that has counted nothing. */
  meter(): Meter;
}

/**
 * Pieces of a script, in which `$` stands for the number of the policy, so that several policies can be put together
 * without a loop. They see `now`, `cost` and the parameters.
 */
interface LuaFormulas {
  /** The bytes of a state; of one that varies, the least. */
  readonly stateBytes: number;
  readonly varies?: true;
  /**
   * Declares `used$`, what counts against the limit at `now`, and whatever the other pieces need, from `packed` (false if
   * there is none) at `pos`, which it moves behind what it has read. Any bytes give a state that can be used.
   */
  readonly read: string;
  /** Assigns `retry$`: the microseconds until `cost` fits if nothing else is counted; it does not fit now, and is not above the limit. */
  readonly retry: string;
  /** Counts `cost`. */
  readonly add: string;
  /** Takes `cost` back that was counted at `taken`, or at a time unknown, which is 0. */
  readonly giveBack: string;
  /** An expression: the microseconds, and parts of one, until nothing is counted. */
  readonly reset: string;
  /** An expression: the packed state. */
  readonly pack: string;
}

/** What a policy has counted for one subject; the methods are the pieces of {@link LuaFormulas}. */
export interface Meter {
  /** What counts against the limit now. To be called before the others, with the same arguments. */
  used(nowUs: number, parameters: readonly number[]): number;
  retryUs(nowUs: number, parameters: readonly number[], cost: number): number;
  add(nowUs: number, parameters: readonly number[], cost: number): void;
  giveBack(nowUs: number, parameters: readonly number[], cost: number, takenUs: number): void;
  resetUs(nowUs: number, parameters: readonly number[]): number;
}

/** Fractions of a unit that rounding may leave: a cost that fits but for so little fits. */
export const TOLERANCE = 1e-6;

/** 100 years in microseconds: no wait is longer, nor is a state kept for longer. */
export const LONGEST_US = 3.2e15;
