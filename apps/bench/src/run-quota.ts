import { measure, type MeasureOptions } from './measure.ts';
import type { CommandCounter } from './redis-commands.ts';
import type { ScenarioResult } from './run-scenario.ts';
import { createRunner } from './runner.ts';
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
  server: { readonly port: number; readonly commands: CommandCounter },
  options: MeasureOptions,
): Promise<ScenarioResult> {
  const open: OpenQuotaSubject[] = [];
  const runners: ReturnType<typeof createRunner>[] = [];
  const commandsPerRead = new Map<string, number>();
  try {
    for (const [index, subject] of scenario.subjects.entries()) {
      const opened = await subject.open(server.port);
      open.push(opened);
      const users = Array.from({ length: USERS }, (_, i) => `s${index}:${scenario.name}:${i}`);
      for (const user of users) await opened.add(user, 3);
      const before = await server.commands.total();
      for (const user of users) {
        const used = await opened.add(user, 4);
        if (used !== 7) throw new Error(`${subject.name} has counted ${used}, not 7`);
      }
      commandsPerRead.set(subject.name, ((await server.commands.total()) - before) / USERS);
      const read = (user: string): Promise<unknown> => opened.add(user, 1);
      const asSubject = { read, write: read, close: opened.close };
      runners.push(createRunner(subject.name, asSubject, { keys: users, concurrency: scenario.concurrency }));
    }
    const { subjects } = scenario;
    return { scenario, subjects, timings: await measure(runners, options), commandsPerRead, absent: [] };
  } finally {
    for (const each of open) await each.close();
  }
}
