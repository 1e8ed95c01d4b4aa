/** One stay in a critical section, in nanoseconds of a clock that all processes share, and the token it was entered with. */
export interface Stay {
  readonly by: string;
  readonly fromNs: bigint;
  /** The last moment at which the process knew by its own clock that it still held the lock. */
  readonly untilNs: bigint;
  readonly token: bigint;
}

export interface Findings {
  /** Pairs that were inside at once. */
  readonly overlaps: readonly (readonly [Stay, Stay])[];
  /** Pairs where the later one has not the greater token. */
  readonly disorder: readonly (readonly [Stay, Stay])[];
}

/** Checks a journal of stays that should exclude each other. */
export function check(journal: readonly Stay[]): Findings {
  const sorted = journal.toSorted((a, b) => (a.fromNs < b.fromNs ? -1 : 1));
  const overlaps: (readonly [Stay, Stay])[] = [];
  const disorder: (readonly [Stay, Stay])[] = [];
  let latest: Stay | undefined;
  for (const stay of sorted) {
    if (latest !== undefined && stay.fromNs < latest.untilNs) overlaps.push([latest, stay]);
    if (latest !== undefined && stay.token <= latest.token) disorder.push([latest, stay]);
    if (latest === undefined || stay.untilNs > latest.untilNs) latest = stay;
  }
  return { overlaps, disorder };
}

/** The longest time in milliseconds in which nobody was inside, between the first stay and the last. */
export function longestGapMs(journal: readonly Stay[]): number {
  const sorted = journal.toSorted((a, b) => (a.fromNs < b.fromNs ? -1 : 1));
  let gapNs = 0n;
  for (const [i, stay] of sorted.entries()) {
    const before = sorted[i - 1];
    if (before !== undefined && stay.fromNs - before.untilNs > gapNs) gapNs = stay.fromNs - before.untilNs;
  }
  return Number(gapNs) / 1e6;
}
