/** Callers that wait for news of a name. */
export class Waiters {
  readonly #byName = new Map<string, Set<() => void>>();

  /** Resolves at the next `wake` of the name, or after `timeoutMs`. */
  wait(name: string, timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const waiting = this.#byName.get(name) ?? new Set();
      this.#byName.set(name, waiting);
      const done = (): void => {
        clearTimeout(timer);
        waiting.delete(done);
        if (waiting.size === 0 && this.#byName.get(name) === waiting) this.#byName.delete(name);
        resolve();
      };
      const timer = setTimeout(done, timeoutMs);
      waiting.add(done);
    });
  }

  wake(name: string): void {
    for (const done of this.#byName.get(name) ?? []) done();
  }

  wakeAll(): void {
    for (const name of this.#byName.keys()) this.wake(name);
  }
}
