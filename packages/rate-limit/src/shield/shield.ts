import type { Clock } from '@tierkit/core';
import { LRUCache } from 'lru-cache';
import type { LimitResult } from '../limit-result.ts';
import { later } from '../results.ts';
import type { Parameters } from '../stores/limit-store.ts';

interface Denial {
  readonly result: LimitResult;
  readonly sinceMs: number;
  readonly untilMs: number;
  readonly cost: number;
  /** Undefined where it holds whatever the limits are. */
  readonly parameters: Parameters | undefined;
}

/** Taken before Redis is asked: what is undone after that moment may have been denied before it. */
export interface ShieldMoment {
  readonly atMs: number;
  readonly undone: number;
}

/**
 * Remembers in this process which subjects Redis denied, until the moment from which they may pass.
 *
 * What is counted in the meantime only puts that moment off, so an answer from here is one that Redis would give as well,
 * unless somebody takes it back; then `undo` or `undoAll` has to be called. While nobody would hear of that, the shield is
 * down: it answers nothing and remembers nothing.
 */
export class Shield {
  readonly #clock: Clock;
  readonly #denials: LRUCache<string, Denial>;
  #up = false;
  #undone = 0;

  constructor(clock: Clock, maxSubjects: number) {
    this.#clock = clock;
    this.#denials = new LRUCache({ max: maxSubjects });
  }

  /** The denial that still holds for a cost, if there is one. */
  answer(subject: string, parameters: Parameters, cost: number): LimitResult | undefined {
    const denial = this.#denials.get(subject);
    if (denial === undefined) return undefined;
    const nowMs = this.#clock.monotonic();
    if (nowMs >= denial.untilMs) {
      this.#denials.delete(subject);
      return undefined;
    }
    const holds =
      cost >= denial.cost &&
      (denial.parameters === undefined || denial.parameters === parameters) &&
      // Such a cost never passes, which the denial of a smaller one does not say.
      (cost === denial.cost || parameters.every(([limit = 0]) => cost <= limit));
    return holds ? later(denial.result, nowMs - denial.sinceMs) : undefined;
  }

  moment(): ShieldMoment {
    return { atMs: this.#clock.monotonic(), undone: this.#undone };
  }

  remember(subject: string, parameters: Parameters, cost: number, result: LimitResult, moment: ShieldMoment): void {
    if (!this.#up || moment.undone !== this.#undone || !Number.isFinite(result.retryAfterMs)) return;
    const blocked = result.policy === 'block';
    this.#denials.set(subject, {
      result,
      // Redis decided after this moment, and rounded up: it never holds for longer here than there.
      sinceMs: moment.atMs,
      untilMs: moment.atMs + result.retryAfterMs - 1,
      cost: blocked ? 1 : cost,
      parameters: blocked ? undefined : parameters,
    });
  }

  undo(subject: string): void {
    this.#undone++;
    this.#denials.delete(subject);
  }

  raise(): void {
    this.#up = true;
  }

  lower(): void {
    this.#up = false;
    this.#undone++;
    this.#denials.clear();
  }
}
