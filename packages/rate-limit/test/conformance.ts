import type { RedisInput } from '@tierkit/redis';
import { describe } from 'vitest';
import { inputConformance } from './conformance/input.ts';
import { kindConformance } from './conformance/kinds.ts';
import { policyConformance } from './conformance/policies.ts';
import { waitingConformance } from './conformance/waiting.ts';
import { limiterWorld } from './conformance/world.ts';

export interface ConformanceTarget {
  readonly name: string;
  /** What to pass as `redis`, which may be `'memory'`. */
  readonly redis: () => Promise<RedisInput>;
}

/** What every backend promises: one test for each sentence of the limiter and of its store. */
export function limiterConformance({ name, redis }: ConformanceTarget): void {
  describe(name, () => {
    const world = limiterWorld(redis);
    kindConformance(world);
    policyConformance(world);
    waitingConformance(world);
    inputConformance(world);
  });
}
