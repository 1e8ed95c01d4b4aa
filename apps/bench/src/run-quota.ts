import type { MeasureOptions } from './measure.ts';
import type { ScenarioResult } from './run-scenario.ts';
import { createRunner } from './runner.ts';
import { commandsPer, sideBySide, type BenchServer } from './side-by-side.ts';
import type { Subject } from './subject.ts';

/** A quota by day and by month that is ready to be measured. */
interface OpenQuotaSubject {
  /** Counts an amount by both; resolves to what is used by the month. */
  add(user: string, amount: number): Promise<number>;
  close(): Promise<unknown>;
}

export interface QuotaSubject extends Pick<Subject, 'name' | 'role'> {
  /** @param port of the private server of this run, on loopback */
  open(port: number): Promise<OpenQuotaSubject>;
}

/** A charge to one of many users. */
export interface QuotaScenario {
  readonly name: string;
  /** How many charges are under way at a time. */
  readonly concurrency: number;
  readonly goal: undefined;
  readonly subjects: readonly QuotaSubject[];
}

const USERS = 500;

/** Proves that each subject counts every charge, then measures them side by side. */
export async function runQuota(
  scenario: QuotaScenario,
  server: BenchServer,
  options: MeasureOptions,
): Promise<ScenarioResult> {
  return sideBySide(scenario, options, async ({ name, open }, index, use) => {
    const opened = use(await open(server.port));
    const users = Array.from({ length: USERS }, (_, i) => `s${index}:${scenario.name}:${i}`);
    for (const user of users) await opened.add(user, 3);
    const commandsPerOperation = await commandsPer(USERS, server.commands, async () => {
      for (const user of users) {
        const used = await opened.add(user, 4);
        if (used !== 7) throw new Error(`${name} has counted ${used}, not 7`);
      }
    });
    const read = (user: string): Promise<unknown> => opened.add(user, 1);
    const asSubject = { read, write: read, close: opened.close };
    return {
      runner: createRunner(name, asSubject, { keys: users, concurrency: scenario.concurrency }),
      commandsPerOperation,
    };
  });
}
