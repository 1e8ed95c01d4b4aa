import { GRANT_MS } from './lock-store.ts';

/** A little later than the turn runs out on the server. */
const AFTER_MS = GRANT_MS + 5;

interface Check {
  dueMs: number;
  /** When the last turn was given away; one that was given after the check was planned needs another. */
  lastMs: number;
}

/**
 * Looks again at locks whose turn was given away from here, once it has run out if it was not confirmed: otherwise a process that
 * froze would hold everybody up until one of them asks by itself. However many turns there are, a lock is looked at once in
 * that time.
 */
export class TurnChecks {
  readonly #check: (resource: string) => Promise<void>;
  readonly #planned = new Map<string, Check>();
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  /** @param check rejects if it has to be tried again */
  constructor(check: (resource: string) => Promise<void>) {
    this.#check = check;
  }

  given(resource: string): void {
    if (this.#closed) return;
    const nowMs = performance.now();
    const planned = this.#planned.get(resource);
    if (planned === undefined) this.#planned.set(resource, { dueMs: nowMs + AFTER_MS, lastMs: nowMs });
    else planned.lastMs = nowMs;
    this.#timer ??= setTimeout(this.#due, AFTER_MS).unref();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#planned.clear();
  }

  readonly #due = (): void => {
    this.#timer = undefined;
    const nowMs = performance.now();
    let nextMs = Infinity;
    for (const [resource, planned] of this.#planned) {
      if (planned.dueMs <= nowMs) {
        if (planned.lastMs + AFTER_MS > nowMs) planned.dueMs = planned.lastMs + AFTER_MS;
        else this.#planned.delete(resource);
        this.#check(resource).catch(() => this.given(resource));
      }
      if (this.#planned.has(resource)) nextMs = Math.min(nextMs, planned.dueMs);
    }
    if (nextMs < Infinity) this.#timer ??= setTimeout(this.#due, Math.max(1, nextMs - nowMs)).unref();
  };
}
