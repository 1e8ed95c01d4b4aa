import { describe } from 'vitest';
import type { QuotaBackend } from '../src/index.ts';
import { countingConformance } from './conformance/counting.ts';
import { limitConformance } from './conformance/gauges-and-limits.ts';
import { holdConformance } from './conformance/holds.ts';
import { thresholdConformance } from './conformance/thresholds.ts';
import { quotaWorld } from './conformance/world.ts';

export interface ConformanceTarget {
  readonly name: string;
  readonly redis: () => Promise<QuotaBackend>;
}

/** What every store promises: one test for each sentence of the port and of the interface. */
export function quotaConformance({ name, redis }: ConformanceTarget): void {
  describe(name, () => {
    const world = quotaWorld(redis);
    countingConformance(world);
    limitConformance(world);
    holdConformance(world);
    thresholdConformance(world);
  });
}
