import { parseDuration, TierkitError, type Duration } from '@tierkit/core';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ScopeAddress } from '../scope-address.ts';
import { DeadLetters, type DeadLetter, type Replayed, type ReplayOptions } from './dead-letters.ts';
import { Enqueuer } from './enqueuer.ts';
import type { FlushCounts } from './flusher.ts';
import type { QueueSettings } from './options.ts';
import type { NewWrite, PendingStore, QueueKeys } from './pending-store.ts';
import { Sweeper } from './sweeper.ts';
import { Worker, type WorkerParts } from './worker.ts';

const DRAIN_POLL_MS = 10;

export interface WriteBehindStatus {
  /** Keys that are pending, in all scopes. */
  readonly backlog: number;
  /** How long the oldest of them has been waiting, in milliseconds. */
  readonly oldestAgeMs: number;
  /** Scopes that they belong to. */
  readonly scopes: number;
  readonly deadLetters: number;
  /** What this process did since the queue was made; the lag is from the oldest write of the last flush to its end. */
  readonly here: {
    readonly flushed: number;
    readonly flushes: number;
    readonly failures: number;
    readonly deadLetters: number;
    readonly lagMs: number;
    readonly lastError: string | undefined;
  };
}

export interface QueueParts extends Pick<WorkerParts, 'clock' | 'logger' | 'decode' | 'onReplayed'> {
  readonly name: string;
  readonly prefix: string;
  readonly store: PendingStore;
  readonly settings: QueueSettings;
  readonly announce: (tier: string) => Promise<void>;
  /** Rejects where the store may lose what it keeps; undefined where that is known not to be. */
  readonly passCheck: () => Promise<void> | undefined;
}

/**
 * Writes that are kept in Redis until a sink has them: of each key the latest, in batches, by workers in every process that
 * made the queue. A scope's `writeBehind` and `deleteBehind` put them in.
 */
export class WriteBehindQueue {
  readonly name: string;
  readonly #parts: QueueParts;
  readonly #keys: QueueKeys;
  readonly #enqueuer: Enqueuer;
  readonly #worker: Worker;
  readonly #sweeper: Sweeper;
  readonly #letters: DeadLetters;
  #closing: Promise<void> | undefined;

  /** @internal */
  constructor(parts: QueueParts) {
    const { name, prefix, store, settings } = parts;
    this.name = name;
    this.#parts = parts;
    const queue = { name, registry: `${prefix}{tierkit}behind:${name}` };
    this.#keys = queue;
    this.#worker = new Worker({ ...parts, queue });
    this.#enqueuer = new Enqueuer({
      ...{ store, queue, maxBacklog: settings.maxBacklog, announce: parts.announce },
      isFull: () => this.#sweeper.backlog >= settings.maxBacklog,
      onEnqueued: (scope, writes) => this.#worker.hint(scope, writes),
    });
    this.#sweeper = new Sweeper({
      ...{ ...parts, queue, pollMs: settings.pollMs },
      onDue: (scope, due) => this.#worker.hint(scope, due),
    });
    this.#letters = new DeadLetters({ ...parts, queue, enqueuer: this.#enqueuer, worker: this.#worker });
  }

  /** @internal Whether the queue was made by the cache with this store. */
  isOf(store: PendingStore): boolean {
    return this.#parts.store === store;
  }

  /** @internal @returns the version of the write once it is kept */
  add(scope: ScopeAddress, write: NewWrite): Promise<number> {
    if (this.#closing !== undefined) return Promise.reject(closed(this.name));
    const checking = this.#parts.passCheck();
    return checking === undefined
      ? this.#enqueuer.add(scope, write)
      : checking.then(() => this.#enqueuer.add(scope, write));
  }

  /** @internal What it knows without asking: the backlog is as it was noted last. */
  get observed(): FlushCounts & { readonly backlog: number } {
    return { ...this.#worker.counts, backlog: this.#sweeper.backlog };
  }

  /** Looks at all scopes that have pending writes. @throws {TierkitError} as the connection, when Redis is away */
  async status(): Promise<WriteBehindStatus> {
    const { store } = this.#parts;
    const [total, deadLetters] = await Promise.all([this.#sweeper.measure(), store.letters.count(this.#keys)]);
    return { ...total, deadLetters, here: { ...this.#worker.counts } };
  }

  /**
   * Flushes what is pending, of all processes.
   *
   * @param timeout How long it may take. @default 5 seconds
   * @returns whether nothing is left; what is being flushed elsewhere, or waits for its next attempt, is
   */
  async drain(timeout: Duration = 5_000): Promise<boolean> {
    const { clock } = this.#parts;
    const deadlineMs = clock.monotonic() + parseDuration(timeout, 'timeout');
    for (;;) {
      const { backlog } = await this.#sweeper.measure((scope, { due }) => {
        if (due > 0) this.#worker.hurry(scope);
      });
      if (backlog === 0) return true;
      if (this.#closing !== undefined || clock.monotonic() >= deadlineMs) return false;
      await sleep(DRAIN_POLL_MS);
    }
  }

  /**
   * What was given up, the oldest first, in pages.
   *
   * @throws {TierkitError} `ERR_CACHE_OPTIONS`, as do `replay` and `discard`; as the connection, when Redis is away
   */
  deadLetters(options?: { readonly after?: string; readonly limit?: number }): Promise<DeadLetter[]> {
    return this.#letters.list(options);
  }

  /**
   * Puts dead letters back, all of them or those with the ids. Each keeps its version, so that a sink that guards by version
   * takes none that is older than what it has; one whose key is pending is dropped. Until it is flushed, reads do not see it.
   */
  replay(options?: ReplayOptions): Promise<Replayed> {
    return this.#letters.replay(options);
  }

  /** Drops dead letters. @returns how many there were */
  discard(ids: readonly string[]): Promise<number> {
    return this.#letters.discard(ids);
  }

  /** Drops all dead letters, in one atomic step. @returns how many @throws {TierkitError} as the connection, when Redis is away */
  discardAll(): Promise<number> {
    return this.#letters.discardAll();
  }

  /** Flushes what this process wrote, for `drainTimeout` at the most, and ends. What is left, others take over. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { settings, clock } = this.#parts;
    const deadlineMs = clock.monotonic() + settings.drainTimeoutMs;
    await this.#enqueuer.settled();
    await this.#sweeper.close();
    await this.#worker.drain(deadlineMs);
    await this.#worker.close();
  }
}

function closed(queue: string): TierkitError {
  return new TierkitError('ERR_WRITE_BEHIND_CLOSED', `the write-behind queue "${queue}" is closed`, {
    details: { queue },
  });
}
