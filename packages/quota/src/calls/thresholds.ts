import type { Logger } from '@tierkit/core';
import type { QuotaOptions } from '../definitions/options.ts';
import { closedError } from '../errors.ts';
import type { QuotaStore } from '../stores/quota-store.ts';
import type { QuotaThreshold } from '../usage.ts';

type Tell = NonNullable<QuotaOptions['onThreshold']>;

/** How long `settled` waits. */
const SETTLE_MS = 2_000;

/** Calls `onThreshold` and never fails: a charge that was counted must not look as if it was not. */
export class Thresholds {
  readonly #tell: Tell | undefined;
  readonly #store: QuotaStore;
  readonly #logger: Logger;
  readonly #pending = new Set<Promise<void>>();
  readonly #givenUp = new AbortController();

  constructor(tell: Tell | undefined, store: QuotaStore, logger: Logger) {
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

  /** Resolves once what was told is over, within 2 seconds: what still runs then is told by its signal, and left alone. */
  async settled(): Promise<void> {
    if (this.#pending.size === 0) return;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, SETTLE_MS)));
    await Promise.race([Promise.all(this.#pending), late]);
    clearTimeout(timer);
    if (this.#pending.size === 0) return;
    this.#givenUp.abort(closedError());
    this.#logger.warn({ running: this.#pending.size }, 'onThreshold had not ended when the quota was closed');
  }

  async #tellEach(crossed: readonly QuotaThreshold[]): Promise<void> {
    for (const reached of crossed) {
      try {
        await this.#tell?.(reached, { signal: this.#givenUp.signal });
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
