import { TierkitError } from '@tierkit/core';
import { positiveInteger } from '../options.ts';
import { SuccessorTable } from './successor-table.ts';

export interface PrefetchOptions {
  /** Ids whose successor is remembered, those that were accessed last. @default 1_000 */
  readonly maxIds?: number;
  /** An id is fetched if it followed in at least this share of cases, above 0 and up to 1. @default 0.5 */
  readonly minShare?: number;
  /** Fetches under way at a time; while there are so many, no other begins. @default 2 */
  readonly concurrency?: number;
}

export interface PrefetchCounts {
  /** Fetches that were begun. */
  readonly begun: number;
  /** Accesses to what was fetched before them: `used / begun` says whether it pays. */
  readonly used: number;
}

/** What was fetched and not accessed yet is remembered for counting only. */
const MAX_UNUSED = 1_000;

/** Fetches what usually follows an access, in the background. */
export class Prefetch implements PrefetchOptions {
  readonly minShare: number;
  readonly concurrency: number;
  readonly #table: SuccessorTable<unknown>;
  readonly #unused = new Set<string>();
  #running = 0;
  #begun = 0;
  #used = 0;

  /** @throws {TierkitError} `ERR_CACHE_OPTIONS` */
  constructor(options: PrefetchOptions) {
    const { minShare = 0.5 } = options;
    if (!(minShare > 0 && minShare <= 1)) {
      const message = 'prefetch.minShare takes a share above 0, up to 1';
      throw new TierkitError('ERR_CACHE_OPTIONS', message, { details: { option: 'prefetch.minShare' } });
    }
    this.#table = new SuccessorTable(positiveInteger(options.maxIds, 1_000, 'prefetch.maxIds'));
    this.minShare = minShare;
    this.concurrency = positiveInteger(options.concurrency, 2, 'prefetch.concurrency');
  }

  get counts(): PrefetchCounts {
    return { begun: this.#begun, used: this.#used };
  }

  /** Learns from an access, and begins to fetch what is likely to follow, unless `fetch` answers that it is there. */
  accessed(name: string, id: unknown, fetch: Fetch): void {
    if (this.#unused.delete(name)) this.#used++;
    this.#table.observe(name, id);
    if (this.#running >= this.concurrency) return;
    const next = this.#table.likely(name, this.minShare);
    const fetching = next === undefined ? undefined : fetch(next);
    if (fetching === undefined) return;
    this.#begun++;
    this.#running++;
    this.#unused.add(fetching.name);
    if (this.#unused.size > MAX_UNUSED) this.#unused.delete(this.#unused.values().next().value ?? '');
    const ended = (): void => void this.#running--;
    fetching.done.then(ended, ended);
  }
}

/** Begins to fetch an id; undefined if there is nothing to do. */
type Fetch = (id: unknown) => { readonly name: string; readonly done: Promise<unknown> } | undefined;
