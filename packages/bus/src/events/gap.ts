/** What a subscriber did not get, told in the place where it is missing. */
export interface Gap {
  /**
   * `overflow`: the subscriber lagged. `connection`: events may have been missed while the connection was lost. `trimmed`:
   * a durable channel no longer has them.
   */
  readonly reason: 'overflow' | 'connection' | 'trimmed';
  /** How many events are missing; undefined where nobody can know. */
  readonly missed: number | undefined;
}

/** Two gaps with nothing between them. */
export function joined(first: Gap, second: Gap): Gap {
  const missed = first.missed === undefined || second.missed === undefined ? undefined : first.missed + second.missed;
  return { reason: first.reason, missed };
}
