import type { Flight } from './flight.ts';

/** Loads of one name that were replaced by another and still run: those that are known at the most. */
const MAX_REPLACED = 100;

/** The loads of one scope that run in this process. */
export class Flights {
  readonly #current = new Map<string, Flight>();
  /** Nobody joins them any more, yet some still wait for them: a change of the name concerns them as well. */
  readonly #replaced = new Map<string, Set<Flight>>();

  /** The one that callers may join. */
  get(name: string): Flight | undefined {
    return this.#current.get(name);
  }

  has(name: string): boolean {
    return this.#current.has(name);
  }

  /** Callers join this one from now on. */
  begin(flight: Flight): void {
    const { name } = flight.request;
    const before = this.#current.get(name);
    if (before !== undefined) this.retire(before);
    this.#current.set(name, flight);
  }

  /** Nobody joins it any more. */
  retire(flight: Flight): void {
    const { name } = flight.request;
    if (this.#current.get(name) !== flight) return;
    this.#current.delete(name);
    const replaced = this.#replaced.get(name) ?? new Set();
    this.#replaced.set(name, replaced.add(flight));
    if (replaced.size <= MAX_REPLACED) return;
    for (const oldest of replaced) {
      oldest.detach();
      replaced.delete(oldest);
      break;
    }
  }

  /** @returns whether callers could join it until now */
  end(flight: Flight): boolean {
    const { name } = flight.request;
    const replaced = this.#replaced.get(name);
    if (replaced?.delete(flight) === true && replaced.size === 0) this.#replaced.delete(name);
    return this.#current.get(name) === flight && this.#current.delete(name);
  }

  /** Those who wait for a load of the name get what it loads, others begin a new one; nobody gets the stale value. */
  detach(name: string): void {
    this.#current.get(name)?.detach();
    this.#current.delete(name);
    for (const flight of this.#replaced.get(name) ?? []) flight.detach();
    this.#replaced.delete(name);
  }

  detachMatching(matches: (name: string) => boolean): void {
    for (const names of [this.#current.keys(), this.#replaced.keys()]) {
      for (const name of names) if (matches(name)) this.detach(name);
    }
  }
}
