import type { Clock, Logger } from '@tierkit/core';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ScopeAddress } from '../scope-address.ts';
import { backoff } from './backoff.ts';
import { isolate, type Failure } from './isolate.ts';
import { keepClaim, type Claim } from './kept-claim.ts';
import type { QueueSettings, WriteBehindItem } from './options.ts';
import type { ClaimedWrite, PendingStore, QueueKeys } from './pending-store.ts';

/** After how long an acknowledgement that Redis did not take is tried again. */
const SETTLE_RETRY_MS = 100;
/** A write whose claims were lost so many times in a row may be what ends its workers: it is flushed by itself. */
const SUSPECT_CLAIMS = 3;

export interface FlusherParts {
  readonly store: PendingStore;
  readonly queue: QueueKeys;
  readonly settings: QueueSettings;
  readonly clock: Clock;
  readonly logger: Logger;
  /** A replayed write reached the source: what is cached may be older. */
  readonly onReplayed: (scope: ScopeAddress, name: string) => Promise<void>;
}

/** What this process did with a queue. */
export interface FlushCounts {
  flushed: number;
  flushes: number;
  failures: number;
  deadLetters: number;
  lagMs: number;
  lastError: string | undefined;
}

/** A claimed write; without an item it cannot be read here. */
export interface Taken {
  readonly claim: Claim;
  readonly write: ClaimedWrite;
  readonly item: WriteBehindItem | undefined;
  readonly unreadable: unknown;
}

/** What is to be given back, and how. */
interface Retry {
  readonly failures: number;
  readonly delayMs: number;
}

/** Gives claimed writes to the sink, and tells the store what became of each. */
export class Flusher {
  readonly counts: FlushCounts = {
    ...{ flushed: 0, flushes: 0, failures: 0, deadLetters: 0, lagMs: 0 },
    lastError: undefined,
  };
  readonly #parts: FlusherParts;
  readonly #closing: AbortSignal;
  #lastTakenMs = -Infinity;

  constructor(parts: FlusherParts, closing: AbortSignal) {
    this.#parts = parts;
    this.#closing = closing;
  }

  /**
   * @param attempt which one in a row it is that takes nothing, if it takes nothing
   * @returns how many the sink took, and when the others of which scope are due again
   */
  async flush(
    batch: readonly Taken[],
    attempt: number,
  ): Promise<{ readonly taken: number; readonly again: readonly (readonly [ScopeAddress, number])[] }> {
    const { store, queue, settings, clock } = this.#parts;
    const claims = [...new Set(batch.map(({ claim }) => claim))];
    const lost = new AbortController();
    const stopKeeping = keepClaim(store, queue, claims, settings.leaseMs, () => lost.abort(new Error('lease lost')));
    try {
      const signal = AbortSignal.any([this.#closing, lost.signal]);
      const give = (items: readonly Taken[]): Promise<void> => this.#attempt(items, signal);
      const taken: Taken[] = [];
      const failed: Failure<Taken>[] = [];
      for (const part of parts(batch, settings.attempts)) {
        const result = await isolate(part.items, part.readable ? give : part.refuse, () => signal.aborted);
        taken.push(...result.taken);
        failed.push(...result.failed);
      }
      if (taken.length > 0) this.#lastTakenMs = clock.monotonic();
      await this.#settle(taken);
      return { taken: taken.length, again: await this.#failed(failed, taken.length > 0 ? 0 : attempt) };
    } finally {
      stopKeeping();
    }
  }

  async #attempt(batch: readonly Taken[], given: AbortSignal): Promise<void> {
    const { settings, clock } = this.#parts;
    const late = new AbortController();
    const message = `the flush took longer than ${settings.flushTimeoutMs} ms`;
    const timer = clock.setTimeout(() => late.abort(new Error(message)), settings.flushTimeoutMs);
    const signal = AbortSignal.any([given, late.signal]);
    const aborted = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    });
    aborted.catch(() => {});
    this.counts.flushes++;
    try {
      const items = batch.flatMap(({ item }) => item ?? []);
      await Promise.race([settings.flush(items, { signal }), aborted]);
    } catch (error) {
      this.counts.failures++;
      this.counts.lastError = String(error).slice(0, 500);
      throw error;
    } finally {
      timer.cancel();
    }
  }

  async #settle(taken: readonly Taken[]): Promise<void> {
    if (taken.length === 0) return;
    const { store, queue, settings, clock, onReplayed } = this.#parts;
    this.counts.flushed += taken.length;
    // It was noted by Redis's clock, which may be ahead of this one.
    this.counts.lagMs = Math.max(0, clock.now() - Math.min(...taken.map(({ write }) => write.enqueuedAtMs)));
    const giveUpMs = clock.monotonic() + settings.leaseMs;
    await this.#perClaim(taken, async ({ scope, lease }, writes) => {
      for (;;) {
        try {
          await store.settle(queue, scope, lease, writes);
          break;
        } catch (error) {
          // They will be flushed once more, with the same versions.
          if (this.#closing.aborted || clock.monotonic() > giveUpMs) throw error;
          await sleep(SETTLE_RETRY_MS, undefined, { ref: false });
        }
      }
      for (const { replayed, name } of writes) if (replayed) await onReplayed(scope, name);
    });
  }

  async #failed(failed: readonly Failure<Taken>[], attempt: number): Promise<(readonly [ScopeAddress, number])[]> {
    const { store, queue } = this.#parts;
    const retries = new Map<ClaimedWrite, Retry>();
    const dead: Failure<Taken>[] = [];
    for (const one of failed) {
      const retry = this.#retryOf(one, attempt);
      if (retry === undefined) dead.push(one);
      else retries.set(one.item.write, retry);
    }
    const again: (readonly [ScopeAddress, number])[] = [];
    const back = failed.flatMap(({ item }) => (retries.has(item.write) ? item : []));
    await this.#perClaim(back, async ({ scope, lease }, writes) => {
      const given = writes.map(({ name, version }, index) => {
        const { failures = 0, delayMs = 0 } = retries.get(writes[index] as ClaimedWrite) ?? {};
        return { name, version, failures, delayMs };
      });
      again.push([scope, Math.max(...given.map(({ delayMs }) => delayMs))]);
      await store.giveBack(queue, scope, lease, given);
    });
    await this.#bury(dead);
    return again;
  }

  /** Undefined for a write that is to be given up. */
  #retryOf({ item: { write }, alone }: Failure<Taken>, attempt: number): Retry | undefined {
    const { settings, clock } = this.#parts;
    if (this.#closing.aborted) return { failures: write.failures, delayMs: 0 };
    const ageMs = clock.now() - write.enqueuedAtMs;
    // With nothing taken since it was written, it may as well be the sink.
    const blamed = alone && clock.monotonic() - this.#lastTakenMs <= ageMs;
    const failures = blamed ? write.failures + 1 : write.failures;
    const tooOld = alone && ageMs >= settings.giveUpAfterMs;
    if (failures >= settings.attempts || tooOld || write.claims > settings.attempts) return undefined;
    return { failures, delayMs: backoff(settings, Math.max(failures, attempt)) };
  }

  /** Between the two steps a write is in both places, so that it is never in none. */
  async #bury(dead: readonly Failure<Taken>[]): Promise<void> {
    if (dead.length === 0) return;
    const { store, queue, settings, logger } = this.#parts;
    const letters = dead.map(({ item: { claim, write }, error }) => {
      const { generationKey } = claim.scope;
      return { generationKey, write, reason: String(error).slice(0, 500), failures: write.failures + 1 };
    });
    const details = { queue: queue.name, letters: letters.length, reason: letters[0]?.reason };
    try {
      await store.letters.bury(queue, letters, settings.maxDeadLetters);
    } catch (error) {
      logger.warn({ ...details, error: String(error) }, 'dead letters cannot be kept: they are tried again');
      return;
    }
    logger.error(details, 'writes are given up: they are dead letters');
    this.counts.deadLetters += dead.length;
    await this.#perClaim(
      dead.map(({ item }) => item),
      ({ scope, lease }, writes) => store.settle(queue, scope, lease, writes),
    );
  }

  /** What Redis does not take is left to the end of the lease. */
  async #perClaim(
    items: readonly Taken[],
    act: (claim: Claim, writes: readonly ClaimedWrite[]) => Promise<void>,
  ): Promise<void> {
    const { logger, queue } = this.#parts;
    const byClaim = new Map<Claim, ClaimedWrite[]>();
    for (const { claim, write } of items) {
      const known = byClaim.get(claim);
      if (known === undefined) byClaim.set(claim, [write]);
      else known.push(write);
    }
    const acts = [...byClaim].map(async ([claim, writes]) => act(claim, writes));
    for (const one of await Promise.allSettled(acts)) {
      if (one.status === 'fulfilled') continue;
      logger.warn({ queue: queue.name, error: String(one.reason) }, 'Redis did not take the outcome of a flush');
    }
  }
}

interface Part {
  readonly items: readonly Taken[];
  readonly readable: boolean;
  readonly refuse: (items: readonly Taken[]) => Promise<never>;
}

/** What can go to the sink together, and what goes alone or not at all. */
function parts(batch: readonly Taken[], attempts: number): Part[] {
  const together: Taken[] = [];
  const apart: Part[] = [];
  for (const one of batch) {
    const { item, unreadable, write } = one;
    if (item === undefined) apart.push({ items: [one], readable: false, refuse: () => Promise.reject(unreadable) });
    else if (write.claims > attempts) apart.push({ items: [one], readable: false, refuse: endsWorkers });
    else if (write.claims > SUSPECT_CLAIMS) apart.push({ items: [one], readable: true, refuse: endsWorkers });
    else together.push(one);
  }
  return together.length === 0 ? apart : [{ items: together, readable: true, refuse: endsWorkers }, ...apart];
}

async function endsWorkers(): Promise<never> {
  throw new Error('each of its claims was lost, as if its flush ended the process');
}
