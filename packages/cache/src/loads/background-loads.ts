import { TierkitError } from '@tierkit/core';
import type { Flight } from './flight.ts';
import type { ScopeState } from '../scope-state.ts';

/** The longest that `close` waits for loaders that ignore their signal. */
const CLOSE_MS = 500;

/** The loads that nobody waits for: one at a time for each key, bounded in number, ended when the cache is closed. */
export class BackgroundLoads {
  readonly #max: number;
  readonly #running = new Map<string, Flight>();
  readonly #closing = new AbortController();

  constructor(max: number) {
    this.#max = max;
  }

  /** Aborted when the cache is closed. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /** Whether a load of the key may begin, or go on, in the background. */
  takes(key: string): boolean {
    return !this.closing.aborted && !this.#running.has(key) && this.#running.size < this.#max;
  }

  /** @returns whether the load goes on in the background; otherwise somebody has to wait for it, or end it */
  adopt(key: string, flight: Flight): boolean {
    if (this.#running.get(key) === flight) return true;
    if (!this.takes(key)) return false;
    this.#running.set(key, flight);
    const end = (): void => void this.#running.delete(key);
    flight.promise.then(end, end);
    return true;
  }

  /** Aborts them, and resolves when nothing runs any more, or after half a second. */
  async close(): Promise<void> {
    this.#closing.abort();
    const running = [...this.#running.values()];
    if (running.length === 0) return;
    for (const flight of running) flight.abort(new TierkitError('ERR_CACHE_CLOSED', 'the cache was closed'));
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, CLOSE_MS);
    });
    await Promise.race([Promise.allSettled(running.map(({ promise }) => promise)), late]);
    clearTimeout(timer);
  }
}

/** Begins a call that loads a name and that nobody waits for; undefined if it loads already, or too much is happening. */
export function beginUnawaited<T>(state: ScopeState, name: string, call: () => Promise<T>): Promise<T> | undefined {
  const { background } = state.engine;
  const key = state.keyOf(name);
  if (state.flights.has(name) || !background.takes(key)) return undefined;
  const running = call();
  const flight = state.flights.get(name);
  if (flight !== undefined) background.adopt(key, flight);
  return running;
}
