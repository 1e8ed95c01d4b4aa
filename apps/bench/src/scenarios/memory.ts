import type { MemoryScenario } from '../run-memory.ts';
import { memorySubjects } from '../subjects/memory-subjects.ts';

export const memory: readonly MemoryScenario[] = [
  { name: 'memory-per-entry', entries: 20_000, valueBytes: 1_000, subjects: memorySubjects },
];
