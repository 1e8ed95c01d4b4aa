import type { InvalidationScenario } from '../run-invalidation.ts';
import { limitGeneration, peerClearSubjects, tierkitGlobal, tierkitScope } from '../subjects/clear-subjects.ts';

const common = {
  goal: undefined,
  subjects: [limitGeneration, tierkitScope, tierkitGlobal, ...peerClearSubjects],
} as const;

/** The clear of a scope, or of all that a peer has. */
export const clearScope: readonly InvalidationScenario[] = [
  { ...common, name: 'clear-scope-1e3', entries: 1_000, rounds: 50, quickRounds: 15 },
  { ...common, name: 'clear-scope-1e4', entries: 10_000, rounds: 30, quickRounds: 5 },
  { ...common, name: 'clear-scope-1e5', entries: 100_000, rounds: 15, quickRounds: 2 },
  { ...common, name: 'clear-scope-1e6', entries: 1_000_000, rounds: 9, quickRounds: 2 },
];
