const FIRST_MS = 100;
/** Names of one scope whose failures are remembered at the most. */
const MAX_NAMES = 1_000;
/** A failure this many backoffs after the end of the last one's is a first one again. */
const FORGOTTEN_AFTER = 10;

interface RecentFailure {
  readonly error: unknown;
  /** On the local monotonic clock: until then nobody tries again. */
  readonly untilMs: number;
  readonly backoffMs: number;
}

/** Loads of one scope that failed a moment ago: callers share the failure for a while that grows with each one. */
export class LoadFailures {
  readonly #maxMs: number;
  readonly #byName = new Map<string, RecentFailure>();

  /** @param maxMs the longest backoff; 0 for none */
  constructor(maxMs: number) {
    this.#maxMs = maxMs;
  }

  active(name: string, nowMs: number): RecentFailure | undefined {
    if (this.#byName.size === 0) return undefined;
    const known = this.#byName.get(name);
    return known !== undefined && nowMs < known.untilMs ? known : undefined;
  }

  /** @returns the backoff that this failure begins, in milliseconds */
  add(name: string, error: unknown, nowMs: number): number {
    const known = this.#byName.get(name);
    const again = known !== undefined && nowMs < known.untilMs + FORGOTTEN_AFTER * known.backoffMs;
    const backoffMs = Math.min(again ? known.backoffMs * 2 : FIRST_MS, this.#maxMs);
    this.#keep(name, { error, untilMs: nowMs + backoffMs, backoffMs });
    return backoffMs;
  }

  /**
   * Redis says for how long nobody may load: after a failure of this process, or of another one.
   *
   * @returns what callers get: this process's own error, if the failure may be its own
   */
  learn(name: string, elsewhere: () => unknown, nowMs: number, remainingMs: number): unknown {
    const known = this.#byName.get(name);
    const own = known !== undefined && nowMs < known.untilMs + known.backoffMs;
    const error = own ? known.error : elsewhere();
    this.#keep(name, { error, untilMs: nowMs + remainingMs, backoffMs: own ? known.backoffMs : remainingMs });
    return error;
  }

  forget(name: string): void {
    this.#byName.delete(name);
  }

  forgetAll(): void {
    this.#byName.clear();
  }

  forgetMatching(matches: (name: string) => boolean): void {
    for (const name of this.#byName.keys()) if (matches(name)) this.#byName.delete(name);
  }

  #keep(name: string, failure: RecentFailure): void {
    if (failure.backoffMs <= 0) return;
    this.#byName.delete(name);
    this.#byName.set(name, failure);
    if (this.#byName.size <= MAX_NAMES) return;
    for (const oldest of this.#byName.keys()) {
      this.#byName.delete(oldest);
      break;
    }
  }
}
