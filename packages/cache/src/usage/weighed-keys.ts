/** A key in a table, with what it weighs there and what else is known of it. */
interface Weighed<T> {
  weight: number;
  readonly facts: T;
}

/** Keys that are remembered. */
const MAX_KEYS = 200;
/** Those with less have faded. */
const LEAST = 1e-3;

/**
 * The keys of the largest weights in a bounded table: when it is full, a new key takes as much from each of the others as it
 * weighs itself ("Misra-Gries", weighted), so that what is heavy stays. A key that has more than one part in 200 of all
 * that was added is in it for certain, as far as nothing faded.
 */
export class WeighedKeys<T> {
  readonly #keys = new Map<string, Weighed<T>>();

  /** @returns what is known of the key; undefined if it is too light to be remembered */
  add(key: string, weight: number, fresh: () => T): T | undefined {
    const known = this.#keys.get(key);
    if (known !== undefined) {
      known.weight += weight;
      return known.facts;
    }
    let left = weight;
    if (this.#keys.size >= MAX_KEYS) {
      let least = weight;
      for (const other of this.#keys.values()) least = Math.min(least, other.weight);
      this.#change((other) => other - least);
      left -= least;
      if (left <= 0 || this.#keys.size >= MAX_KEYS) return undefined;
    }
    const facts = fresh();
    this.#keys.set(key, { weight: left, facts });
    return facts;
  }

  delete(key: string): void {
    this.#keys.delete(key);
  }

  /** Lets all weights shrink to this part, so that what is new counts for more. */
  fade(part: number): void {
    this.#change((weight) => (weight * part < LEAST ? 0 : weight * part));
  }

  /** The heaviest keys, those first. */
  top(limit: number): { readonly key: string; readonly facts: T }[] {
    const all = Array.from(this.#keys, ([key, { weight, facts }]) => ({ key, weight, facts }));
    return all.sort((a, b) => b.weight - a.weight).slice(0, limit);
  }

  #change(change: (weight: number) => number): void {
    for (const [key, one] of this.#keys) {
      one.weight = change(one.weight);
      if (one.weight <= 0) this.#keys.delete(key);
    }
  }
}
