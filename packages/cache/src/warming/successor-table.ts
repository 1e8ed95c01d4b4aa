interface Successor<T> {
  readonly name: string;
  readonly item: T;
  count: number;
}

interface Followed<T> {
  total: number;
  readonly successors: Successor<T>[];
}

/** Successors of one name that are counted; the rarest gives way to a new one. */
const SUCCESSORS = 4;
/** Counts are halved here, so that what changes is learned within a while. */
const MOST = 64;

/**
 * What usually follows what, learned from accesses: a first-order model in bounded memory, for the names that were
 * accessed last.
 */
export class SuccessorTable<T> {
  readonly #maxNames: number;
  readonly #followed = new Map<string, Followed<T>>();
  #previous: string | undefined;

  constructor(maxNames: number) {
    this.#maxNames = maxNames;
  }

  get size(): number {
    return this.#followed.size;
  }

  /** Counts an access as the successor of the one before. */
  observe(name: string, item: T): void {
    const previous = this.#previous;
    this.#previous = name;
    if (previous !== undefined && previous !== name) this.#count(previous, name, item);
  }

  /** What followed the name twice at least, and in at least this share of all cases; the likeliest. */
  likely(name: string, minShare: number): T | undefined {
    const followed = this.#followed.get(name);
    if (followed === undefined) return undefined;
    let best: Successor<T> | undefined;
    for (const successor of followed.successors) if (successor.count > (best?.count ?? 1)) best = successor;
    return best !== undefined && best.count >= followed.total * minShare ? best.item : undefined;
  }

  #count(previous: string, name: string, item: T): void {
    const followed = this.#followed.get(previous) ?? { total: 0, successors: [] };
    this.#followed.delete(previous);
    this.#followed.set(previous, followed);
    followed.total++;
    const known = followed.successors.find((successor) => successor.name === name);
    if (known !== undefined) known.count++;
    else {
      if (followed.successors.length === SUCCESSORS) {
        followed.successors.sort((a, b) => b.count - a.count);
        followed.successors.pop();
      }
      followed.successors.push({ name, item, count: 1 });
    }
    if (followed.total >= MOST) halve(followed);
    if (this.#followed.size <= this.#maxNames) return;
    const [oldest] = this.#followed.keys();
    if (oldest !== undefined) this.#followed.delete(oldest);
  }
}

function halve(followed: Followed<unknown>): void {
  followed.total >>= 1;
  for (const successor of followed.successors) successor.count >>= 1;
}
