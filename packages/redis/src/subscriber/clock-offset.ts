const SAMPLES = 8;

/**
 * The upper bound of a server's clock minus the local monotonic clock, from request and reply times.
 *
 * A server that answered `serverMs` to a request sent at `sentMs` and answered by `receivedMs` is ahead by at most
 * `serverMs - sentMs` and at least `serverMs - receivedMs`. The least of the recent upper bounds is kept; samples that
 * contradict each other mean that a clock jumped, and only the newest counts.
 */
export class ClockOffset {
  #upperBounds: number[] = [];

  get upperBoundMs(): number | undefined {
    return this.#upperBounds.length === 0 ? undefined : Math.min(...this.#upperBounds);
  }

  add(sentMs: number, serverMs: number, receivedMs: number): void {
    const known = this.upperBoundMs;
    if (known !== undefined && serverMs - receivedMs > known) this.#upperBounds = [];
    this.#upperBounds.push(serverMs - sentMs);
    if (this.#upperBounds.length > SAMPLES) this.#upperBounds.shift();
  }
}
