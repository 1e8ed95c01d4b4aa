import { RateLimiterRedis } from 'rate-limiter-flexible';
import type { FailureStore } from './failure-store.ts';
import { flexibleClient } from './flexible-client.ts';
import type { GuardRuleSettings } from './guard-options.ts';

/** How one account or address stands. */
export interface Standing {
  /** Until when it is blocked, in milliseconds from now; 0 if it is not. */
  readonly blockedMs: number;
  /** Failures before the block, 1 at the least; 0 while it is blocked. */
  readonly left: number;
}

/**
 * The failures in a row of one kind of subject, and its blocks, on rate-limiter-flexible.
 *
 * Of that it uses what is sound: counting, setting a count for a time (a block), reading and deleting. Failures are
 * always counted, so nothing here depends on what it does with what it denies.
 */
export class FailureCount {
  readonly #rule: GuardRuleSettings;
  readonly #failures: RateLimiterRedis;
  readonly #blocks: RateLimiterRedis;

  constructor(store: FailureStore, keyPrefix: string, rule: GuardRuleSettings) {
    const storeClient = flexibleClient(store);
    this.#rule = rule;
    this.#failures = new RateLimiterRedis({
      storeClient,
      keyPrefix,
      points: rule.failures,
      duration: rule.withinSeconds,
    });
    const points = rule.blockSeconds.length;
    this.#blocks = new RateLimiterRedis({ storeClient, keyPrefix, points, duration: rule.forgetSeconds });
  }

  async standing(subject: string): Promise<Standing> {
    const counted = await this.#failures.get(subject);
    return this.#standing(counted?.consumedPoints ?? 0, counted?.msBeforeNext ?? 0);
  }

  async failed(subject: string): Promise<Standing> {
    const { consumedPoints, msBeforeNext } = await this.#failures.penalty(subject);
    // Of failures at the same time just one is the last: those after it find the block, or are about to.
    if (consumedPoints !== this.#rule.failures) return this.#standing(consumedPoints, msBeforeNext);
    const { consumedPoints: blocks } = await this.#blocks.penalty(`${subject}:blocks`);
    const { blockSeconds } = this.#rule;
    const seconds = blockSeconds[Math.min(blocks, blockSeconds.length) - 1] ?? 0;
    await this.#failures.block(subject, seconds);
    return { blockedMs: seconds * 1_000, left: 0 };
  }

  /** Ends a block as well; the next one is the first again if `withBlocks`. */
  async forget(subject: string, withBlocks: boolean): Promise<void> {
    await this.#failures.delete(subject);
    if (withBlocks) await this.#blocks.delete(`${subject}:blocks`);
  }

  #standing(failures: number, leftMs: number): Standing {
    if (failures >= this.#rule.failures) return { blockedMs: Math.max(1, leftMs), left: 0 };
    return { blockedMs: 0, left: this.#rule.failures - failures };
  }
}
