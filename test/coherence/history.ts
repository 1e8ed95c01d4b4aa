/**
 * What the processes of a coherence run did and saw. Times are milliseconds of the machine's monotonic clock, which
 * all processes share.
 */
export interface Change {
  readonly key: string;
  /** The value that was written; undefined for what removes. */
  readonly value: string | undefined;
  readonly startMs: number;
  /** When it was confirmed; Infinity when it was not, since it may take effect at any time. */
  readonly endMs: number;
  /** A value that a loader made counts from the start of its load, so that a load may not overwrite later changes. */
  readonly loaded?: boolean;
}

export interface Observation {
  readonly key: string;
  readonly value: string;
  readonly startMs: number;
  readonly by: string;
}

export interface StaleRead {
  readonly read: Observation;
  readonly overwrittenBy: Change;
}

/**
 * The reads that returned a value although a change that began after that value was in place had been confirmed for
 * more than `boundMs` when the read began.
 */
export function staleReads(changes: readonly Change[], reads: readonly Observation[], boundMs: number): StaleRead[] {
  const byKey = new Map<string, Change[]>();
  const origin = new Map<string, Change>();
  for (const change of changes) {
    if (change.value !== undefined) origin.set(change.value, change);
    if (change.loaded === true || change.endMs === Infinity) continue;
    const known = byKey.get(change.key);
    if (known === undefined) byKey.set(change.key, [change]);
    else known.push(change);
  }
  const stale: StaleRead[] = [];
  for (const read of reads) {
    const source = origin.get(read.value);
    // A value from before this round was in place when the round began.
    const placedMs = source === undefined ? -Infinity : source.loaded === true ? source.startMs : source.endMs;
    const overwrittenBy = byKey
      .get(read.key)
      ?.find((change) => change.startMs > placedMs && change.endMs + boundMs < read.startMs && change !== source);
    if (overwrittenBy !== undefined) stale.push({ read, overwrittenBy });
  }
  return stale;
}
