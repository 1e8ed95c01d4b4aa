import type { Scenario } from '../scenario.ts';
import { telemetrySubjects } from '../subjects/telemetry-subjects.ts';
import { untoldSubjects } from '../subjects/untold-subjects.ts';

const common = { operation: 'get', valueBytes: 1_000, goal: 1.1 } as const;

/** What it costs to be told how the cache does: one who is told in each, since all share the code that tells. */
export const telemetry: readonly Scenario[] = [...telemetrySubjects].flatMap(([name, subjects]): Scenario[] => [
  { ...common, subjects, name: `telemetry-l1-hit-${name}`, level: 'l1', keys: 1_000, concurrency: 1 },
  { ...common, subjects, name: `telemetry-l2-hit-sequential-${name}`, level: 'l2', keys: 500, concurrency: 1 },
  { ...common, subjects, name: `telemetry-l2-hit-concurrent-100-${name}`, level: 'l2', keys: 500, concurrency: 100 },
]);

const untold = { operation: 'get', valueBytes: 1_000, goal: 1.05, subjects: untoldSubjects } as const;

/** What it costs where nobody is told. */
export const telemetryOff: readonly Scenario[] = [
  { ...untold, name: 'telemetry-off-l1-hit', level: 'l1', keys: 1_000, concurrency: 1 },
  { ...untold, name: 'telemetry-off-l2-hit-sequential', level: 'l2', keys: 500, concurrency: 1 },
  { ...untold, name: 'telemetry-off-l2-hit-concurrent-100', level: 'l2', keys: 500, concurrency: 100 },
];
