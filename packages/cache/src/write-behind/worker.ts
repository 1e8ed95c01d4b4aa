import { TierkitError, type ClockTimer } from '@tierkit/core';
import type { ScopeAddress } from '../scope-address.ts';
import { backoff } from './backoff.ts';
import { Flusher, type FlushCounts, type FlusherParts, type Taken } from './flusher.ts';
import type { WriteBehindItem } from './options.ts';
import type { ClaimBounds, PendingWrite } from './pending-store.ts';

/** Scopes that are asked for their writes at the same time. */
const AT_ONCE = 16;
const LONGEST_PAUSE_MS = 1_000;

export interface WorkerParts extends FlusherParts {
  readonly decode: (scope: ScopeAddress, write: PendingWrite) => WriteBehindItem;
}

/** Takes writes of the scopes that it is told of to the sink, in batches. One batch is under way at a time. */
export class Worker {
  readonly #parts: WorkerParts;
  readonly #flusher: Flusher;
  readonly #hints = new Map<string, ScopeAddress>();
  readonly #abort = new AbortController();
  readonly #delays = new Set<ClockTimer>();
  /** Writes that it was told of since it last looked. */
  #fresh = 0;
  #timer: ClockTimer | undefined;
  #dueMs = Infinity;
  #pausedUntilMs = 0;
  #failuresInRow = 0;
  #running: Promise<void> | undefined;
  #stopped = false;

  constructor(parts: WorkerParts) {
    this.#parts = parts;
    this.#flusher = new Flusher(parts, this.#abort.signal);
  }

  get counts(): FlushCounts {
    return this.#flusher.counts;
  }

  /** Writes of the scope are, or will be, due: a full batch at once, others when the first of them is old enough. */
  hint(scope: ScopeAddress, writes: number): void {
    if (!this.#parts.settings.worker || this.#stopped) return;
    this.#hints.set(scope.generationKey, scope);
    this.#fresh += writes;
    this.#wake();
  }

  /** As `hint` for writes that are to wait for no others. */
  hurry(scope: ScopeAddress): void {
    this.hint(scope, Infinity);
  }

  /** Flushes what it was told of until there is nothing left, something fails, or the time is over. */
  async drain(deadlineMs: number): Promise<void> {
    const { clock } = this.#parts;
    const giveUp = clock.setTimeout(() => this.#stop(), Math.max(0, deadlineMs - clock.monotonic()));
    this.#pausedUntilMs = 0;
    await this.#running;
    const { failures } = this.counts;
    const goesOn = (): boolean => !this.#stopped && this.counts.failures === failures && !this.#paused;
    while (this.#hints.size > 0 && goesOn()) await this.#run();
    giveUp.cancel();
  }

  /** Ends it: a flush that is under way is aborted, and its writes are given back. */
  async close(): Promise<void> {
    this.#stop();
    await this.#running;
  }

  get #paused(): boolean {
    return this.#parts.clock.monotonic() < this.#pausedUntilMs;
  }

  #stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#timer?.cancel();
    for (const delay of this.#delays) delay.cancel();
    this.#abort.abort(new TierkitError('ERR_WRITE_BEHIND_CLOSED', 'the queue is closed'));
  }

  #wake(): void {
    const { settings, clock } = this.#parts;
    const nowMs = clock.monotonic();
    const waitMs = this.#fresh >= settings.batchSize ? 0 : settings.batchAgeMs;
    const dueMs = Math.max(nowMs + waitMs, this.#pausedUntilMs);
    if (this.#stopped || this.#running !== undefined || dueMs >= this.#dueMs) return;
    this.#timer?.cancel();
    this.#dueMs = dueMs;
    this.#timer = clock.setTimeout(() => void this.#run(), dueMs - nowMs);
  }

  #run(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#dueMs = Infinity;
    this.#running ??= this.#work().finally(() => {
      this.#running = undefined;
      if (this.#hints.size > 0) this.#wake();
    });
    return this.#running;
  }

  async #work(): Promise<void> {
    const { batchSize } = this.#parts.settings;
    while (!this.#stopped && !this.#paused) {
      this.#fresh = 0;
      const batch = await this.#gather();
      if (batch.length === 0) return;
      const { taken, again } = await this.#flusher.flush(batch, this.#failuresInRow + 1);
      for (const [scope, ms] of again) this.#hintIn(scope, ms);
      this.#failuresInRow = taken > 0 ? 0 : this.#failuresInRow + 1;
      if (taken === 0) this.#pause();
      // What has come meanwhile waits for more, unless it is enough for a batch.
      if (batch.length < batchSize && this.#fresh < batchSize) return;
    }
  }

  /** Up to a batch of writes that are due, of all scopes that it was told of. */
  async #gather(): Promise<Taken[]> {
    const { batchSize, batchBytes, leaseMs } = this.#parts.settings;
    const batch: Taken[] = [];
    let bytes = 0;
    const scopes = [...this.#hints.values()];
    while (scopes.length > 0 && batch.length < batchSize && bytes < batchBytes && !this.#stopped) {
      const some = scopes.splice(0, Math.min(AT_ONCE, batchSize - batch.length));
      const count = Math.floor((batchSize - batch.length) / some.length);
      const bounds = { count, bytes: Math.ceil((batchBytes - bytes) / some.length), leaseMs };
      const claimed = await Promise.all(some.map((scope) => this.#claim(scope, bounds)));
      for (const taken of claimed.flat()) {
        batch.push(taken);
        bytes += taken.write.payload.length;
      }
    }
    return batch;
  }

  async #claim(scope: ScopeAddress, bounds: ClaimBounds): Promise<Taken[]> {
    const { store, queue, decode, logger } = this.#parts;
    this.#hints.delete(scope.generationKey);
    try {
      const { lease, writes } = await store.claim(queue, scope, bounds);
      // Whether this was all is known only when nothing more comes.
      if (writes.length > 0) this.#hints.set(scope.generationKey, scope);
      const claim = { scope, lease, names: writes.map(({ name }) => name) };
      return writes.map((write): Taken => {
        try {
          return { claim, write, item: decode(scope, write), unreadable: undefined };
        } catch (error) {
          return { claim, write, item: undefined, unreadable: error };
        }
      });
    } catch (error) {
      logger.debug({ queue: queue.name, error: String(error) }, 'pending writes could not be claimed');
      this.#hints.set(scope.generationKey, scope);
      this.#pause();
      return [];
    }
  }

  /** What is new may be taken all the same: it does not wait for long. */
  #pause(): void {
    const { clock, settings } = this.#parts;
    this.#pausedUntilMs = clock.monotonic() + Math.min(backoff(settings, this.#failuresInRow), LONGEST_PAUSE_MS);
  }

  #hintIn(scope: ScopeAddress, ms: number): void {
    if (this.#stopped) return;
    // The store has a clock of its own. A look that comes too soon finds nothing, and the next one is the poll's.
    const lateMs = ms + 2;
    const delay = this.#parts.clock.setTimeout(() => {
      this.#delays.delete(delay);
      this.hint(scope, 0);
    }, lateMs);
    this.#delays.add(delay);
  }
}
