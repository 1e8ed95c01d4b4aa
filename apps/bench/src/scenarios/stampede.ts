import type { StampedeScenario } from '../run-stampede.ts';
import { limitLock, loadingSubjects } from '../subjects/loading-subjects.ts';

const common = { callers: 1_000, loadMs: 50, subjects: [limitLock, ...loadingSubjects] } as const;

/** A key that nobody has, and everybody wants at once. */
export const stampede: readonly StampedeScenario[] = [
  { ...common, name: 'stampede-1x1000', processes: 1 },
  { ...common, name: 'stampede-4x1000', processes: 4 },
];
