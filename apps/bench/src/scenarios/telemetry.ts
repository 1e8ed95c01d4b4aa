import type { Scenario } from '../scenario.ts';
import { telemetrySubjects as subjects } from '../subjects/telemetry-subjects.ts';

const common = { operation: 'get', valueBytes: 1_000, subjects, goal: 1.1 } as const;

/** What it costs to be told how the cache does. */
export const telemetry: readonly Scenario[] = [
  { ...common, name: 'telemetry-l1-hit', level: 'l1', keys: 1_000, concurrency: 1 },
  { ...common, name: 'telemetry-l2-hit-sequential', level: 'l2', keys: 500, concurrency: 1 },
  { ...common, name: 'telemetry-l2-hit-concurrent-100', level: 'l2', keys: 500, concurrency: 100 },
];
