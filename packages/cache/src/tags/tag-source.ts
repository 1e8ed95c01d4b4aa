import type { TagStamp } from './stamped-tags.ts';

/**
 * Where the tag tables are: one for each scope that uses tags, and one for tags that are invalidated everywhere.
 *
 * A table counts its invalidations and knows for each tag at which count it was invalidated last. It may forget the
 * oldest, and tells for them the latest count that one of them can have. Its identity is a number below 0 that no
 * table had before; a table that was lost restarts as another.
 */
export interface TagSource {
  /** Where the table stands; it is made if there is none, and outlives everything that is stored for `ttlMs` from now. */
  stamp(tagsKey: string, ttlMs: number): Promise<TagStamp>;
  /** @param since the store's `moment` at which the call began that this is a part of */
  read(tagsKey: string, names: readonly string[], since?: number): Promise<TagReading>;
  /**
   * Counts one invalidation of the tags and announces it in the same atomic step, at a cost that does not depend on the
   * number of entries. Without tags it invalidates all, by making another table.
   */
  invalidate(tagsKey: string, names: readonly string[]): Promise<TagStamp>;
}

/** Where a table stands, and the last invalidation of each tag that was asked for, in order; 0 for never. */
export interface TagReading extends TagStamp {
  readonly versions: readonly number[];
}
