/** One caller that may wait for news of a name, and hears of it from its `begin` to its `end`. */
export interface Waiter {
  /** Resolves at the first news since `begin`, or after `timeoutMs`. */
  wait(timeoutMs: number): Promise<void>;
  end(): void;
}

/** Callers that wait for news of a name. */
export class Waiters {
  readonly #byName = new Map<string, Set<PendingWaiter>>();

  begin(name: string): Waiter {
    const waiting = this.#byName.get(name) ?? new Set();
    this.#byName.set(name, waiting);
    const waiter = new PendingWaiter(() => {
      waiting.delete(waiter);
      if (waiting.size === 0 && this.#byName.get(name) === waiting) this.#byName.delete(name);
    });
    waiting.add(waiter);
    return waiter;
  }

  wake(name: string): void {
    for (const waiter of this.#byName.get(name) ?? []) waiter.wake();
  }

  wakeAll(): void {
    for (const name of this.#byName.keys()) this.wake(name);
  }
}

class PendingWaiter implements Waiter {
  readonly end: () => void;
  #woken = false;
  #resume: () => void = () => {};

  constructor(end: () => void) {
    this.end = end;
  }

  wait(timeoutMs: number): Promise<void> {
    if (this.#woken) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#resume(), timeoutMs);
      this.#resume = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  wake(): void {
    this.#woken = true;
    this.#resume();
  }
}
