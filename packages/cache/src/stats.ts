/** Plain counters of one tier; they only grow. */
export interface TierStats {
  /** Reads that the in-process level answered. */
  l1Hits: number;
  /** Reads that Redis (or the memory store) answered. */
  l2Hits: number;
  /** Reads that nothing answered. */
  misses: number;
  /** Loaders run. */
  loads: number;
  loadErrors: number;
  /** Reads answered with an entry that could not be revalidated, since Redis was away. */
  staleServed: number;
  writes: number;
  deletes: number;
  /** Commands that Redis did not confirm. */
  errors: number;
  /** Entries whose bytes could not be decoded; they were removed. */
  corrupt: number;
}

export function newTierStats(): TierStats {
  return {
    l1Hits: 0,
    l2Hits: 0,
    misses: 0,
    loads: 0,
    loadErrors: 0,
    staleServed: 0,
    writes: 0,
    deletes: 0,
    errors: 0,
    corrupt: 0,
  };
}
