import { measure, type MeasureOptions, type Runner } from './measure.ts';
import type { CommandCounter } from './redis-commands.ts';
import type { ScenarioResult } from './run-scenario.ts';
import type { Absent, Subject } from './subject.ts';

/** The private server of a run, on loopback. */
export interface BenchServer {
  readonly port: number;
  readonly commands: CommandCounter;
}

/** A subject that does what it should, and is ready to be measured. */
export interface Prepared {
  readonly runner: Runner;
  /** As the server counted them while the subject was proved. */
  readonly commandsPerOperation: number;
}

interface Closable {
  close(): Promise<unknown>;
}

/**
 * Prepares the subjects one after the other, then measures those that take part together. `use` has what a subject
 * opened closed at the end, also when a later step of its preparation fails.
 */
export async function sideBySide<S extends Pick<Subject, 'name' | 'role'>>(
  scenario: ScenarioResult['scenario'] & { readonly subjects: readonly S[] },
  options: MeasureOptions,
  prepare: (subject: S, index: number, use: <T extends Closable>(opened: T) => T) => Promise<Prepared | Absent>,
): Promise<ScenarioResult> {
  const opened: Closable[] = [];
  const use = <T extends Closable>(one: T): T => {
    opened.push(one);
    return one;
  };
  const subjects: S[] = [];
  const runners: Runner[] = [];
  const absent: { name: string; reason: string }[] = [];
  const commandsPerRead = new Map<string, number>();
  try {
    for (const [index, subject] of scenario.subjects.entries()) {
      const prepared = await prepare(subject, index, use);
      if ('absent' in prepared) {
        absent.push({ name: subject.name, reason: prepared.absent });
        continue;
      }
      subjects.push(subject);
      runners.push(prepared.runner);
      commandsPerRead.set(subject.name, prepared.commandsPerOperation);
    }
    return { scenario, subjects, timings: await measure(runners, options), commandsPerRead, absent };
  } finally {
    for (const one of opened) await one.close();
  }
}

/** How many commands the server executed for each of so many operations. */
export async function commandsPer(
  operations: number,
  commands: CommandCounter,
  call: () => Promise<unknown>,
): Promise<number> {
  const before = await commands.total();
  await call();
  return ((await commands.total()) - before) / operations;
}
