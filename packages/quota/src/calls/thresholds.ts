import type { Logger } from '@tierkit/core';
import type { QuotaStore } from '../stores/quota-store.ts';
import type { QuotaThreshold } from '../usage.ts';

/** Calls `onThreshold` and never fails: a charge that was counted must not look as if it was not. */
export class Thresholds {
  readonly #tell: ((reached: QuotaThreshold) => void | Promise<void>) | undefined;
  readonly #store: QuotaStore;
  readonly #logger: Logger;
  readonly #pending = new Set<Promise<void>>();

  constructor(
    tell: ((reached: QuotaThreshold) => void | Promise<void>) | undefined,
    store: QuotaStore,
    logger: Logger,
  ) {
    this.#tell = tell;
    this.#store = store;
    this.#logger = logger;
  }

  /** @param id what the charge is remembered by, encoded; '' for nothing */
  tell(subject: { readonly encoded: string }, id: string, crossed: readonly QuotaThreshold[]): void {
    if (crossed.length === 0) return;
    this.#keep(this.#tellEach(crossed));
    // Until then a repeat tells, for the case that this answer had been lost.
    if (id !== '') this.#keep(this.#store.confirmTold(subject.encoded, id));
  }

  /** Resolves once what was told is over. */
  async settled(): Promise<void> {
    await Promise.all(this.#pending);
  }

  async #tellEach(crossed: readonly QuotaThreshold[]): Promise<void> {
    for (const reached of crossed) {
      try {
        await this.#tell?.(reached);
      } catch (error) {
        this.#logger.error({ error, metric: reached.metric, threshold: reached.threshold }, 'onThreshold failed');
      }
    }
  }

  #keep(work: Promise<void>): void {
    const kept = work
      .catch((error: unknown) => this.#logger.warn({ error }, 'A quota threshold was told, and may be told again'))
      .finally(() => this.#pending.delete(kept));
    this.#pending.add(kept);
  }
}
