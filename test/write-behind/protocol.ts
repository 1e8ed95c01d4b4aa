/** What a writer is told on its command line. */
export interface WriterSettings {
  readonly redis: string;
  readonly prefix: string;
  readonly name: string;
  readonly seed: number;
  /** Acknowledged writes that it still has to make. */
  readonly writes: number;
}

/** A row as the table has it; `value` is null for a key that was deleted. */
export interface Row {
  readonly id: string;
  readonly version: number;
  readonly value: string | null;
}

export type FromWriter =
  /** Redis acknowledged them. */
  | { readonly kind: 'acknowledged'; readonly rows: readonly Row[] }
  | { readonly kind: 'flush'; readonly call: number; readonly rows: readonly Row[] };

export interface ToWriter {
  readonly kind: 'flushed';
  readonly call: number;
  readonly failed: boolean;
}

export const QUEUE = 'rows';
/** Few enough that writes of a key meet. */
export const KEYS = 300;
export const SCOPES = 12;
/** Short, so that what a killed process held is taken over within the test. */
export const TIMES = { lease: 1_000, poll: 200, batch: { age: 10 }, retry: { backoff: 20, maxBackoff: 200 } } as const;
