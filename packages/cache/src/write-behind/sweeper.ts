import { TierkitError, type Clock, type ClockTimer, type Logger } from '@tierkit/core';
import { addressOf, type ScopeAddress } from '../scope-address.ts';
import type { Measured, PendingStore, QueueKeys, Registered } from './pending-store.ts';

/** Scopes that are looked at in one turn, and at the same time. */
const MOST_SCOPES = 2_000;
const PAGE = 200;
const AT_ONCE = 16;
/** A scope without writes stays on the list for so long, so that the next write need not register it. */
const LINGER_MS = 60_000;

export interface SweeperParts {
  readonly store: PendingStore;
  readonly queue: QueueKeys;
  readonly prefix: string;
  readonly pollMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
  /** A scope has writes that are due. */
  readonly onDue: (scope: ScopeAddress, due: number) => void;
}

/** How much a queue has in all scopes. */
export interface Backlog {
  readonly backlog: number;
  readonly oldestAgeMs: number;
  readonly scopes: number;
}

/**
 * Looks for writes that nobody works on, since whoever made or claimed them is gone: one process at a time, in turns. It
 * also counts the backlog for all of them, and takes scopes off the list that have had nothing for a while.
 */
export class Sweeper {
  readonly #parts: SweeperParts;
  #timer: ClockTimer | undefined;
  #from = 0;
  #backlog = 0;
  #turn: Promise<void> | undefined;
  #closed = false;

  constructor(parts: SweeperParts) {
    this.#parts = parts;
    this.#schedule();
  }

  /** Of the whole queue, as it was noted last. */
  get backlog(): number {
    return this.#backlog;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    await this.#turn;
  }

  /** Looks at all scopes now. @throws {TierkitError} as the store */
  async measure(visit: (scope: ScopeAddress, measured: Measured) => void = () => {}): Promise<Backlog> {
    const total = { backlog: 0, oldestAgeMs: 0, scopes: 0 };
    let failure: TierkitError | undefined;
    for (let from = 0; ; from += PAGE) {
      const page = await this.#parts.store.registered(this.#parts.queue, from, PAGE);
      const failed = await this.#look(page, (scope, measured) => {
        total.backlog += measured.backlog;
        total.oldestAgeMs = Math.max(total.oldestAgeMs, measured.oldestAgeMs);
        if (measured.backlog > 0) total.scopes++;
        visit(scope, measured);
      });
      failure ??= failed;
      if (page.length < PAGE) break;
    }
    if (failure !== undefined) throw failure;
    return total;
  }

  #schedule(): void {
    if (this.#closed) return;
    const { clock, pollMs } = this.#parts;
    this.#timer = clock.setTimeout(
      () => {
        this.#turn = this.#takeTurn().finally(() => this.#schedule());
      },
      pollMs * (0.75 + Math.random() / 2),
    );
  }

  async #takeTurn(): Promise<void> {
    const { store, queue, pollMs, logger } = this.#parts;
    try {
      const { mine, backlog } = await store.takeTurn(queue, Math.ceil(pollMs / 2));
      this.#backlog = backlog;
      if (mine) await this.#sweep();
    } catch (error) {
      logger.debug({ queue: queue.name, error: String(error) }, 'pending writes could not be looked for');
    }
  }

  async #sweep(): Promise<void> {
    const { store, queue, pollMs, logger, onDue } = this.#parts;
    let backlog = 0;
    let seen = 0;
    for (; seen < MOST_SCOPES && !this.#closed;) {
      const page = await store.registered(queue, this.#from, PAGE);
      const failed = await this.#look(page, async (scope, measured, { registration, ageMs }) => {
        backlog += measured.backlog;
        if (measured.due > 0) onDue(scope, measured.due);
        if (measured.backlog === 0 && ageMs > LINGER_MS) await store.unregister(queue, scope, registration);
      });
      if (failed !== undefined) {
        logger.warn({ queue: queue.name, error: String(failed) }, 'a scope cannot be looked at for pending writes');
      }
      seen += page.length;
      this.#from = page.length < PAGE ? 0 : this.#from + PAGE;
      if (this.#from === 0) break;
    }
    // Of a part of all scopes it says nothing of the whole.
    if (this.#from === 0 && seen < MOST_SCOPES) await store.noteBacklog(queue, backlog, pollMs * 4);
  }

  /** @returns what Redis refused of a scope, which is no reason not to look at the others */
  async #look(
    page: readonly Registered[],
    visit: (scope: ScopeAddress, measured: Measured, one: Registered) => unknown,
  ): Promise<TierkitError | undefined> {
    const { store, queue, prefix } = this.#parts;
    let refused: TierkitError | undefined;
    for (let at = 0; at < page.length; at += AT_ONCE) {
      await Promise.all(
        page.slice(at, at + AT_ONCE).map(async (one) => {
          const scope = addressOf(prefix, one.generationKey);
          if (scope === undefined) return;
          try {
            await visit(scope, await store.measure(queue, scope), one);
          } catch (error) {
            if (!(error instanceof TierkitError) || error.code !== 'ERR_REDIS_REPLY') throw error;
            refused ??= error;
          }
        }),
      );
    }
    return refused;
  }
}
