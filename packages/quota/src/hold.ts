import type { Amounts } from './definitions/metrics.ts';
import type { Overflow } from './stores/quota-store.ts';
import type { Charge, QuotaThreshold, Refusal, Uncounted, Usage } from './usage.ts';

/** Room that is kept for an amount that is not known yet. Without `commit` or `release` it expires. */
export interface Hold<M, Names extends keyof M, Away> {
  /** Whoever knows it and the subject can settle the hold: `quota.commit(subject, id, ...)`. */
  readonly id: string;
  /** When it expires, in milliseconds since 1970 by Redis's clock. */
  readonly expiresMs: number;
  /** As `quota.commit`, in one round trip. */
  commit(actual?: Amounts<Pick<M, Names>>, options?: CommitOptions): Promise<SettlementResult<M, Names, Away>>;
  /** As `quota.release`. */
  release(): Promise<SettlementResult<M, Names, Away>>;
}

export interface CommitOptions {
  /** What happens to the part of an amount beyond the hold that does not fit. @default that of the metric */
  readonly overflow?: Overflow;
}

export type Reservation<M, Names extends keyof M, Away> =
  | (Charge<M, Names> & { readonly allowed: true; readonly hold: Hold<M, Names, Away> })
  | (Charge<M, Names> & { readonly allowed: false; readonly hold?: undefined })
  | ('allow' extends Away ? Uncounted & { readonly hold: Hold<M, Names, Away> } : never);

/** What came of settling a hold. */
export interface Settlement<M, Names extends keyof M = keyof M> {
  readonly source: 'redis' | 'memory';
  /**
   * What the hold is now. `refused`: more was used than held, the rest does not fit, and nothing was counted; the hold
   * stands. `expired`: there is no such hold any more, and nothing was counted.
   */
  readonly status: 'committed' | 'released' | 'refused' | 'expired';
  /** The hold was settled before, and this is what came of it then. */
  readonly repeated: boolean;
  readonly charged: { readonly [Name in Names]?: number };
  /** Of the metrics of the hold, in its own periods. */
  readonly usage: Partial<Usage<M, Names>>;
  readonly refusal?: Refusal<M>;
  readonly crossed: readonly QuotaThreshold[];
}

export type SettlementResult<M, Names extends keyof M, Away> =
  | Settlement<M, Names>
  | ('allow' extends Away ? Uncounted : never);
