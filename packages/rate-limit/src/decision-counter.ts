import { EventCounter, type MetricDefinition } from '@tierkit/core';
import type { LimitResult } from './limit-result.ts';

const DECISIONS: MetricDefinition = {
  name: 'tierkit.rate_limit.decisions',
  kind: 'counter',
  unit: '{decision}',
  description: 'Calls of consume by what was decided, and by whom',
  attributes: ['limiter', 'result', 'source'],
};

/** What a limiter decided. Subjects are in no metric. */
export class DecisionCounter extends EventCounter {
  /** @param limiter its name, one of few */
  constructor(limiter: string) {
    super(DECISIONS, { limiter });
  }

  readonly note = (result: LimitResult): LimitResult => {
    this.count(result.shadowed ? 'shadowed' : result.allowed ? 'allowed' : 'denied', result.source);
    return result;
  };
}
