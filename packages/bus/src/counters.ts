/** Counters since the bus was made, and what it has open. */
export interface BusStats {
  readonly published: number;
  /** Ephemeral events that could not be sent. */
  readonly dropped: number;
  /** Messages that could not be read or did not pass their schema, for each subscriber that had to drop them. */
  readonly invalid: number;
  /** Events that subscribers are known to have missed. */
  readonly missed: number;
  /** What handlers threw. */
  readonly failures: number;
  readonly subscriptions: number;
  /** Members of groups, one for each channel of a consumer. */
  readonly consumers: number;
}

/** What is counted as it happens. */
export type Counters = { -readonly [Name in Exclude<keyof BusStats, 'subscriptions' | 'consumers'>]: number };

export function noneCounted(): Counters {
  return { published: 0, dropped: 0, invalid: 0, missed: 0, failures: 0 };
}
