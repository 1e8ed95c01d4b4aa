export type BreakerState = 'closed' | 'open' | 'half-open';

export interface BreakerOptions {
  /** Failures in a row that open the breaker. */
  readonly failures: number;
  /** Milliseconds that must also have passed since the last success, where some servers may answer and others not. */
  readonly quietMs: number;
  /** Milliseconds from opening to the probe. */
  readonly resetAfterMs: number;
  /** Asks Redis for a sign of life; a rejection keeps the breaker open. */
  readonly probe: () => Promise<unknown>;
  readonly onChange: (state: BreakerState) => void;
}

/**
 * Opens after a number of failures in a row and closes by itself: a probe of its own, not a caller's command, finds out
 * when Redis is back, so no caller waits for it and the state is right without traffic.
 */
export class Breaker {
  readonly #options: BreakerOptions;
  #state: BreakerState = 'closed';
  #failures = 0;
  #succeededAt = -Infinity;
  #timer: NodeJS.Timeout | undefined;
  #disposed = false;

  constructor(options: BreakerOptions) {
    this.#options = options;
  }

  get state(): BreakerState {
    return this.#state;
  }

  get closed(): boolean {
    return this.#state === 'closed';
  }

  get failures(): number {
    return this.#failures;
  }

  succeeded(): void {
    if (this.#options.quietMs > 0) this.#succeededAt = performance.now();
    // A late reply to a command sent before the breaker opened says nothing about now.
    if (this.#failures !== 0 && this.#state === 'closed') this.#failures = 0;
  }

  failed(): void {
    if (this.#state !== 'closed') return;
    this.#failures++;
    if (this.#failures >= this.#options.failures && this.#isQuiet()) this.#open();
  }

  /** Probes at once if the breaker is open, for when a connection has just come back. */
  probeNow(): void {
    if (this.#state !== 'open' || this.#disposed) return;
    clearTimeout(this.#timer);
    this.#to('half-open');
    this.#options.probe().then(
      () => this.#close(),
      () => this.#open(),
    );
  }

  dispose(): void {
    this.#disposed = true;
    clearTimeout(this.#timer);
  }

  #isQuiet(): boolean {
    const { quietMs } = this.#options;
    return quietMs === 0 || performance.now() - this.#succeededAt >= quietMs;
  }

  #open(): void {
    if (this.#disposed) return;
    this.#timer = setTimeout(() => this.probeNow(), this.#options.resetAfterMs);
    this.#timer.unref();
    this.#to('open');
  }

  #close(): void {
    if (this.#disposed) return;
    this.#failures = 0;
    this.#to('closed');
  }

  #to(state: BreakerState): void {
    this.#state = state;
    this.#options.onChange(state);
  }
}
