import type { Crossing, HeldRow, Row, RowState } from './quota-store.ts';

export interface Counts {
  used: number;
  /** The highest threshold that was told. */
  told: number;
}

export interface MemoryHold {
  readonly expiresMs: number;
  readonly rows: readonly HeldRow[];
}

export interface MemoryRowParts {
  readonly metric: string;
  readonly row: Row;
  readonly limit: number;
  readonly found: Counts | undefined;
  /** Makes the counts if there are none. */
  readonly counts: () => Counts;
  readonly holds: ReadonlyMap<string, MemoryHold>;
}

/** One row of a request, with what is counted against it. */
export class MemoryRow {
  readonly limit: number;
  readonly #parts: MemoryRowParts;
  #counts: Counts | undefined;

  constructor(parts: MemoryRowParts) {
    this.#parts = parts;
    this.limit = parts.limit;
    this.#counts = parts.found;
  }

  get used(): number {
    return this.#counts?.used ?? 0;
  }

  get held(): number {
    const { metric, row, holds } = this.#parts;
    let sum = 0;
    for (const { rows } of holds.values()) {
      for (const held of rows) {
        const same = held.metric === metric && held.period === row.period;
        if (same && held.window?.startMs === row.window?.startMs) sum += held.amount;
      }
    }
    return sum;
  }

  state(): RowState {
    const { period, window } = this.#parts.row;
    return { period, window, limit: this.limit, used: this.used, held: this.held };
  }

  /** Forgets what was used in a window. */
  reset(): void {
    if (this.#counts === undefined || this.#parts.row.window === undefined) return;
    this.#counts.used = 0;
    this.#counts.told = 0;
  }

  /** @returns the thresholds that were reached by it */
  count(amount: number): Crossing[] {
    if (amount === 0) return [];
    const { metric, row } = this.#parts;
    const counts = (this.#counts ??= this.#parts.counts());
    counts.used += amount;
    const reached = row.thresholds.filter((threshold) => counts.used / this.limit >= threshold);
    const fresh = reached.filter((threshold) => threshold > counts.told);
    const highest = reached.at(-1) ?? 0;
    if (highest > counts.told || row.window === undefined) counts.told = highest;
    return fresh.map((threshold) => ({ metric, period: row.period, threshold }));
  }
}
