import { RateLimiterRedis } from 'rate-limiter-flexible';
import type { FailureStore } from './failure-store.ts';
import { flexibleClient } from './flexible-client.ts';
import type { GuardRuleSettings } from './guard-options.ts';

/** How one account or address stands. */
export interface Standing {
  /** Until when it is blocked, in milliseconds from now; 0 if it is not. */
  readonly blockedMs: number;
  /** Failures before the block, 1 at the least; 0 while it is blocked, and for the attempt that blocks those after it. */
  readonly left: number;
}

/** What a count begins at that is a block made ahead, by an attempt that may yet succeed. What is denied adds to it. */
const AHEAD = 1_000_000_000;

/**
 * The failures in a row of one kind of subject, and its blocks, on rate-limiter-flexible.
 *
 * Of that it uses what is sound: counting, setting a count for a time (a block), reading and deleting. Every step is one
 * of its calls and atomic; whoever is between two of them has counted already, so that nobody else is let through.
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
    const seconds = await this.#nextBlock(subject);
    await this.#failures.block(subject, seconds);
    return { blockedMs: seconds * 1_000, left: 0 };
  }

  /** Counts an attempt that is yet to be made: the last one blocks those after it, and may itself be made. */
  async attempt(subject: string): Promise<Standing> {
    const { consumedPoints, msBeforeNext } = await this.#failures.penalty(subject);
    if (consumedPoints !== this.#rule.failures) return this.#standing(consumedPoints, msBeforeNext);
    await this.#failures.set(subject, AHEAD, await this.#nextBlock(subject));
    return { blockedMs: 0, left: 0 };
  }

  /** Takes one attempt back, with the block that was made ahead, if there is one; another block stays. */
  async takeBack(subject: string): Promise<void> {
    const { failures, withinSeconds } = this.#rule;
    const counted = (await this.#failures.get(subject))?.consumedPoints ?? 0;
    if (counted >= AHEAD) {
      await this.#failures.set(subject, failures - 1, withinSeconds);
      await this.#blocks.reward(`${subject}:blocks`);
    } else if (counted > 0 && counted < failures) await this.#failures.reward(subject);
  }

  /** Ends the failures in a row, and a block; one that was made ahead does not count among the blocks then. */
  async succeeded(subject: string): Promise<void> {
    const counted = (await this.#failures.get(subject))?.consumedPoints ?? 0;
    await this.#failures.delete(subject);
    if (counted >= AHEAD) await this.#blocks.reward(`${subject}:blocks`);
  }

  /** Forgets failures and blocks. */
  async forget(subject: string): Promise<void> {
    await Promise.all([this.#failures.delete(subject), this.#blocks.delete(`${subject}:blocks`)]);
  }

  async #nextBlock(subject: string): Promise<number> {
    const { consumedPoints } = await this.#blocks.penalty(`${subject}:blocks`);
    const { blockSeconds } = this.#rule;
    return blockSeconds[Math.min(consumedPoints, blockSeconds.length) - 1] ?? 0;
  }

  #standing(failures: number, leftMs: number): Standing {
    // Who comes between the last failure and its block sees how long failures last.
    const longestMs = Math.max(...this.#rule.blockSeconds) * 1_000;
    if (failures >= this.#rule.failures) return { blockedMs: Math.max(1, Math.min(leftMs, longestMs)), left: 0 };
    return { blockedMs: 0, left: this.#rule.failures - failures };
  }
}
