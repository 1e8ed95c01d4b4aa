import { undisturbed, type Logger } from '@tierkit/core';

type Listener = (state: 'up' | 'down') => void;

/** Whether Redis can be used, and who wants to know. */
export class StateListeners {
  /** Why Redis could not be used the last time. */
  lastError: Error | undefined;
  readonly #logger: Logger;
  readonly #listeners = new Set<Listener>();
  readonly #waiting = new Set<(up: boolean) => void>();
  #up = false;
  #seen = false;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  get up(): boolean {
    return this.#up;
  }

  /** True until the first connection was made or has failed. */
  get pending(): boolean {
    return !this.#seen && this.lastError === undefined;
  }

  set(up: boolean): void {
    // Redis that is away from the start is no change of state, but news.
    if (!up && !this.#seen && this.lastError !== undefined) {
      this.#seen = true;
      this.#logger.warn({ reason: this.lastError.message }, 'Redis cannot be used');
    }
    if (up === this.#up) return;
    this.#up = up;
    this.#seen = true;
    if (up) {
      this.lastError = undefined;
      this.#logger.info({}, 'Redis can be used');
      this.#wake(true);
    } else {
      this.#logger.warn({ reason: this.lastError?.message }, 'Redis cannot be used');
    }
    for (const listener of this.#listeners) this.#call(listener, up ? 'up' : 'down');
  }

  add(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** Resolves to true once Redis can be used, to false after `timeoutMs` or when disposed of. */
  whenUp(timeoutMs: number): Promise<boolean> {
    if (this.#up) return Promise.resolve(true);
    return new Promise((resolve) => {
      const settle = (up: boolean): void => {
        clearTimeout(timer);
        this.#waiting.delete(settle);
        resolve(up);
      };
      const timer = setTimeout(settle, timeoutMs, false);
      this.#waiting.add(settle);
    });
  }

  dispose(): void {
    this.#listeners.clear();
    this.#wake(false);
  }

  #wake(up: boolean): void {
    for (const settle of this.#waiting) settle(up);
  }

  #call(listener: Listener, state: 'up' | 'down'): void {
    undisturbed(
      () => listener(state),
      (error) => this.#logger.error({ error }, 'A listener for the state of Redis threw'),
    );
  }
}
