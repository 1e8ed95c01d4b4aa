/** What a handler is told besides the event. */
export interface ConsumeContext {
  /** 1 the first time; more after a failure, or after a consumer was lost that had it. */
  readonly attempt: number;
  /** Aborted when the consumer closes and does not wait any longer, or when the event went to another consumer. */
  readonly signal: AbortSignal;
}

/** An event at work. Most handlers never look at the signal, which is costly to make. */
export class Work implements ConsumeContext {
  readonly attempt: number;
  #controller: AbortController | undefined;
  #aborted = false;

  constructor(attempt: number) {
    this.attempt = attempt;
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#aborted) this.#controller.abort();
    return this.#controller.signal;
  }

  abort(): void {
    this.#aborted = true;
    this.#controller?.abort();
  }
}
