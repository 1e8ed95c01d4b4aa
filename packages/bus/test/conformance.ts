import { describe } from 'vitest';
import type { BusOptions } from '../src/index.ts';
import { callbackConformance } from './conformance/callbacks.ts';
import { closingConformance } from './conformance/closing.ts';
import { deadLetterConformance } from './conformance/dead-letters.ts';
import { durableConformance } from './conformance/durable.ts';
import { ephemeralConformance } from './conformance/ephemeral.ts';
import { groupConformance } from './conformance/groups.ts';
import { inputConformance } from './conformance/input.ts';
import { laggingConformance } from './conformance/lagging.ts';
import { retryConformance } from './conformance/retries.ts';
import { subscriptionConformance } from './conformance/subscriptions.ts';
import { trimmingConformance } from './conformance/trimming.ts';
import { world } from './world.ts';

/** What every backend promises: one test for each sentence that a user can rely on. */
export function busConformance(name: string, backend: () => BusOptions['redis']): void {
  describe(name, () => {
    const shared = world(backend);
    ephemeralConformance(shared);
    subscriptionConformance(shared);
    laggingConformance(shared);
    durableConformance(shared);
    groupConformance(shared);
    retryConformance(shared);
    deadLetterConformance(shared);
    closingConformance(shared);
    trimmingConformance(shared);
    inputConformance(shared);
    callbackConformance(shared);
  });
}
