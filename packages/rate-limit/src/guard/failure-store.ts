/** What rate-limiter-flexible does with Redis, each call one atomic step. Counts expire; times are in milliseconds. */
export interface FailureStore {
  /** Adds to a count, which begins at 0 and lasts `seconds` from then; what is left of that is not changed. */
  increment(key: string, by: number, seconds: number): Promise<[count: number, leftMs: number]>;
  /** The count, null if there is none. */
  read(key: string): Promise<[count: number | null, leftMs: number]>;
  /** Sets a count that lasts `seconds` from now. */
  write(key: string, count: number, seconds: number): Promise<[done: 'OK', leftMs: number]>;
  /** @returns how many counts there were, 0 or 1 */
  remove(key: string): Promise<number>;
}
