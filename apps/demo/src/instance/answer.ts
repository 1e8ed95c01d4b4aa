/** What answered a read: this process, Redis, or the work that the cache saves. */
export type AnsweredBy = 'L1' | 'L2' | 'load';

/** A read of the cache, as seen by its caller. */
export interface Answer<T> {
  readonly value: T;
  readonly by: AnsweredBy;
  readonly ms: number;
}
