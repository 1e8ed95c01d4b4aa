import type { InvalidationScenario } from '../run-invalidation.ts';
import { limitIncr, peerTagSubjects, tierkitEverywhere, tierkitScope } from '../subjects/tag-subjects.ts';

const common = { goal: undefined, subjects: [limitIncr, tierkitScope, tierkitEverywhere, ...peerTagSubjects] } as const;

export const invalidateTag: readonly InvalidationScenario[] = [
  { ...common, name: 'invalidate-tag-1e3', entries: 1_000, rounds: 50, quickRounds: 15 },
  { ...common, name: 'invalidate-tag-1e4', entries: 10_000, rounds: 30, quickRounds: 9 },
  { ...common, name: 'invalidate-tag-1e5', entries: 100_000, rounds: 15, quickRounds: 3 },
  { ...common, name: 'invalidate-tag-1e6', entries: 1_000_000, rounds: 9, quickRounds: 2 },
];
