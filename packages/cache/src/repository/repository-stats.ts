export interface MethodStats {
  readonly hits: number;
  readonly misses: number;
}

/** How a repository was used through this instance, and whether the list of all is cached. */
export interface RepositoryStats extends MethodStats {
  readonly entity: string;
  /** Hits among all reads, from 0 to 1; 0 before the first. */
  readonly hitRate: number;
  /** By `by_id`, `all`, and the names of the indexes. */
  readonly methods: Readonly<Record<string, MethodStats>>;
  readonly writes: number;
  /** Writes after which all lists were forgotten: it was not known in which of them the entity had been meanwhile. */
  readonly allListsForgotten: number;
  readonly allCached: boolean;
  /** By Redis's clock; undefined when the list is not cached. */
  readonly allTtlRemainingMs: number | undefined;
}

/** Counts of one repository. */
export class RepositoryCounts {
  readonly #methods = new Map<string, { hits: number; misses: number }>();
  writes = 0;
  allListsForgotten = 0;

  constructor(methods: readonly string[]) {
    for (const method of methods) this.#methods.set(method, { hits: 0, misses: 0 });
  }

  count(method: string, hit: boolean): void {
    const counts = this.#methods.get(method);
    if (counts !== undefined) counts[hit ? 'hits' : 'misses']++;
  }

  snapshot(entity: string, allTtlRemainingMs: number | undefined): RepositoryStats {
    const methods = Object.fromEntries([...this.#methods].map(([name, counts]) => [name, { ...counts }]));
    const hits = sum(Object.values(methods).map((counts) => counts.hits));
    const misses = sum(Object.values(methods).map((counts) => counts.misses));
    return {
      entity,
      hits,
      misses,
      hitRate: hits === 0 ? 0 : hits / (hits + misses),
      methods,
      writes: this.writes,
      allListsForgotten: this.allListsForgotten,
      allCached: allTtlRemainingMs !== undefined,
      allTtlRemainingMs,
    };
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
