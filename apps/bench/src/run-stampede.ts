import { randomUUID } from 'node:crypto';
import { startChild } from './child-process.ts';
import type { LoadingSubject } from './loading-subject.ts';
import type { StampedeOrder } from './processes/stampede-process.ts';
import type { ScenarioResult } from './run-scenario.ts';
import type { BenchServer } from './side-by-side.ts';

/** One operation: in each process so many callers ask for one key that nobody has. */
export interface StampedeScenario {
  readonly name: string;
  readonly processes: number;
  readonly callers: number;
  readonly loadMs: number;
  readonly subjects: readonly LoadingSubject[];
}

/** Times from the order to the last answer of the last process, and counts the loads in all of them. */
export async function runStampede(
  scenario: StampedeScenario,
  server: BenchServer,
  rounds: number,
): Promise<ScenarioResult> {
  const { subjects, processes, callers, loadMs } = scenario;
  const children = Array.from({ length: processes }, () => startChild<StampedeOrder, number>('stampede-process'));
  const run = randomUUID();
  const stampede = async (subject: string, round: string): Promise<number> => {
    const order = { subject, port: server.port, key: `${run}:${subject}:${round}`, callers, loadMs };
    const loads = await Promise.all(children.map((child) => child.ask(order)));
    return loads.reduce((sum, count) => sum + count, 0);
  };
  const timings = subjects.map(({ name }) => ({ name, nsPerOperation: [] as number[] }));
  const commandsPerRead = new Map<string, number>();
  const most = new Map<string, number>();
  try {
    // Opens the caches and compiles what they run.
    for (const { name } of timings) await stampede(name, 'first');
    for (let round = 0; round < rounds; round++) {
      for (const { name, nsPerOperation } of timings) {
        const before = await server.commands.total();
        const start = performance.now();
        const loads = await stampede(name, String(round));
        nsPerOperation.push((performance.now() - start) * 1e6);
        commandsPerRead.set(name, (await server.commands.total()) - before);
        most.set(name, Math.max(loads, most.get(name) ?? 0));
      }
    }
  } finally {
    await Promise.all(children.map((child) => child.stop()));
  }
  const extras = new Map([...most].map(([name, loads]) => [name, { loads }]));
  return { scenario: { name: scenario.name, goal: undefined }, subjects, timings, commandsPerRead, absent: [], extras };
}
