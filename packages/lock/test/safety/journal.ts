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

/** The times in milliseconds in which nobody was inside, between the first stay and the last; the longest first. */
export function gapsMs(journal: readonly Stay[]): readonly number[] {
  const sorted = journal.toSorted((a, b) => (a.fromNs < b.fromNs ? -1 : 1));
  const gaps = sorted.slice(1).map((stay, i) => Number(stay.fromNs - (sorted[i]?.untilNs ?? stay.fromNs)) / 1e6);
  return gaps.toSorted((a, b) => b - a);
}

export const longestGapMs = (journal: readonly Stay[]): number => gapsMs(journal)[0] ?? 0;
