import { startChild } from './child-process.ts';
import type { MemoryOrder } from './processes/memory-process.ts';
import type { ScenarioResult } from './run-scenario.ts';
import type { Subject } from './subject.ts';

/** What an entry takes in process. */
export interface MemoryScenario {
  readonly name: string;
  readonly entries: number;
  readonly valueBytes: number;
  readonly subjects: readonly Subject[];
}

/** Bytes stand where other scenarios have nanoseconds, so that the ratios mean the same. */
export async function runMemory(
  { name: scenario, entries, valueBytes, subjects }: MemoryScenario,
  { port }: { readonly port: number },
  rounds: number,
): Promise<ScenarioResult> {
  const timings = subjects.map(({ name }) => ({ name, nsPerOperation: [] as number[] }));
  const extras = new Map<string, { bytesPerEntry: number }>();
  for (let round = 0; round < rounds; round++) {
    for (const { name, nsPerOperation } of timings) {
      const child = startChild<MemoryOrder, number>('memory-process', ['--expose-gc']);
      try {
        const bytes = await child.ask({ subject: name, port, entries, valueBytes });
        nsPerOperation.push(bytes);
        extras.set(name, { bytesPerEntry: Math.round(bytes) });
      } finally {
        await child.stop();
      }
    }
  }
  return {
    scenario: { name: scenario, goal: undefined },
    subjects,
    timings,
    commandsPerRead: new Map(),
    absent: [],
    extras,
    units: ['bytes', 'entries/GB'],
  };
}
