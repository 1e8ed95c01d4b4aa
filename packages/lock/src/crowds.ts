const RECENT_MS = 1_000;
const MOST = 1_000;

/**
 * Locks that somebody here had to wait for a moment ago. Whoever wants one of them lines up at once, which saves the command
 * that would find out that it is busy.
 */
export class Crowds {
  readonly #seenMs = new Map<string, number>();

  note(resource: string, nowMs: number): void {
    if (this.#seenMs.size >= MOST) this.#seenMs.clear();
    this.#seenMs.set(resource, nowMs);
  }

  has(resource: string, nowMs: number): boolean {
    if (this.#seenMs.size === 0) return false;
    const seenMs = this.#seenMs.get(resource);
    if (seenMs === undefined) return false;
    if (nowMs - seenMs < RECENT_MS) return true;
    this.#seenMs.delete(resource);
    return false;
  }
}
