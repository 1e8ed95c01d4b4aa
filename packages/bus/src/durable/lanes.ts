import type { Clock } from '@tierkit/core';
import type { Delivery } from '../drivers/driver.ts';
import type { Work } from './work.ts';

export interface LanesOptions {
  /** How many may be at work at the same time. */
  readonly concurrency: number;
  /** @returns a promise if it takes its time; it has said `atWork` then */
  readonly handle: (delivery: Delivery) => Promise<void> | undefined;
}

/** What a consumer has: deliveries that wait, in order, and those at work. */
export class Lanes {
  readonly #options: LanesOptions;
  readonly #waiting: Delivery[] = [];
  readonly #working = new Map<string, Work>();
  #closed = false;
  #onRoom: () => void = () => {};
  #onIdle: () => void = () => {};

  constructor(options: LanesOptions) {
    this.#options = options;
  }

  get waiting(): boolean {
    return this.#waiting.length > 0;
  }

  get ids(): string[] {
    return [...this.#working.keys(), ...this.#waiting.map(({ id }) => id)];
  }

  isAtWork(id: string): boolean {
    return this.#working.has(id);
  }

  atWork(id: string, work: Work): void {
    this.#working.set(id, work);
  }

  /** Resolves once nothing waits that was taken, or the end has come. */
  room(): Promise<void> {
    if (this.#waiting.length === 0 || this.#closed) return Promise.resolve();
    return new Promise((resolve) => (this.#onRoom = resolve));
  }

  take(deliveries: readonly Delivery[]): void {
    this.#waiting.push(...deliveries);
    while (!this.#closed && this.#working.size < this.#options.concurrency && this.#waiting.length > 0) this.#next();
  }

  /** Others have these now. */
  giveUp(ids: ReadonlySet<string>): void {
    if (ids.size === 0) return;
    this.#waiting.splice(0, this.#waiting.length, ...this.#waiting.filter(({ id }) => !ids.has(id)));
    for (const id of ids) this.#working.get(id)?.abort();
  }

  /** Begins with nothing more. */
  close(): void {
    this.#closed = true;
    this.#onRoom();
  }

  /** Those that have not begun, which are not here any more. */
  leave(): Delivery[] {
    return this.#waiting.splice(0);
  }

  /** Waits for what is at work, so long at the most, and aborts what is then. */
  async drain(clock: Clock, timeoutMs: number): Promise<void> {
    if (this.#working.size > 0) {
      await new Promise<void>((resolve) => {
        const timer = clock.setTimeout(resolve, timeoutMs);
        this.#onIdle = () => {
          timer.cancel();
          resolve();
        };
      });
    }
    for (const work of this.#working.values()) work.abort();
  }

  /** Handles what waits until nothing does, on one of the lanes. */
  #next(): void {
    for (;;) {
      const delivery = this.#closed ? undefined : this.#waiting.shift();
      if (delivery === undefined) break;
      const working = this.#options.handle(delivery);
      if (working === undefined) continue;
      void working.finally(() => {
        this.#working.delete(delivery.id);
        this.#next();
      });
      return;
    }
    this.#onRoom();
    if (this.#working.size === 0) this.#onIdle();
  }
}
