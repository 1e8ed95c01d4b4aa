import type { Level, Subject } from './subject.ts';

/** What is measured, over which values, and for whom. */
export interface Scenario {
  readonly name: string;
  readonly level: Level;
  readonly operation: 'get' | 'getOrSet';
  readonly valueBytes: number;
  readonly keys: number;
  /** How many keys each read asks for in one call. @default one, by the operation */
  readonly batch?: number;
  /** How many reads are under way at a time. */
  readonly concurrency: number;
  /** The most that our time per operation may be over the limit's, where a bound was set. */
  readonly goal: number | undefined;
  /** How many tags every value has. @default 0 */
  readonly tags?: number;
  readonly subjects: readonly Subject[];
}
