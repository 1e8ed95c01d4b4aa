/** What a source has, until it is told to stop: a source that stalls is not waited for then. */
export class StoppableSource<T> implements AsyncIterable<T> {
  /** Whether it was left before its end was known. */
  cut = false;
  readonly #source: Iterable<T> | AsyncIterable<T>;
  readonly #signals: readonly AbortSignal[];
  readonly #stopping = new AbortController();
  readonly stop: () => void = () => this.#stopping.abort();

  /** @param signals each of which stops it; `close` lets go of them */
  constructor(source: Iterable<T> | AsyncIterable<T>, signals: readonly (AbortSignal | undefined)[]) {
    this.#source = source;
    this.#signals = signals.filter((signal) => signal !== undefined);
    for (const signal of this.#signals) {
      signal.addEventListener('abort', this.stop);
      if (signal.aborted) this.stop();
    }
  }

  get stopped(): boolean {
    return this.#stopping.signal.aborted;
  }

  close(): void {
    for (const signal of this.#signals) signal.removeEventListener('abort', this.stop);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    const source = this.#source;
    const iterator = Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
    let ended = false;
    try {
      for (;;) {
        const next = await this.#orStop(() => iterator.next()).catch((error: unknown) => {
          ended = true;
          throw error;
        });
        this.cut = next === undefined;
        ended = next?.done === true;
        if (next === undefined || next.done === true) return;
        yield next.value;
      }
    } finally {
      const returning = ended ? undefined : (async () => iterator.return?.())();
      // One that stalls cannot be waited for; it ends by itself.
      if (this.cut) returning?.catch(() => {});
      else await returning;
    }
  }

  #orStop<R>(next: () => R | Promise<R>): Promise<R | undefined> {
    const { signal } = this.#stopping;
    return new Promise<R | undefined>((resolve, reject) => {
      // What a source has at hand comes first, its end for example.
      const stop = (): void => void setImmediate(resolve, undefined);
      if (signal.aborted) stop();
      else signal.addEventListener('abort', stop);
      (async () => next())()
        .then(resolve, reject)
        .finally(() => signal.removeEventListener('abort', stop));
    });
  }
}
