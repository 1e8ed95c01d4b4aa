import type { EventScenario } from '../run-events.ts';
import { rawGroup, tierkitConsume } from '../subjects/durable-subjects.ts';
import { rawPubSub, tierkitHandler, tierkitIterator } from '../subjects/event-subjects.ts';

/** Events of a few hundred bytes: published and received, and worked off from a stream. */
export const events: readonly EventScenario[] = [
  { name: 'bus-publish-receive', bytes: 300, goal: 1.25, subjects: [rawPubSub, tierkitHandler, tierkitIterator] },
  { name: 'bus-durable-batch', bytes: 300, goal: 1.25, subjects: [rawGroup, tierkitConsume] },
];
