import { isDeepStrictEqual } from 'node:util';
import { measure, type MeasureOptions } from './measure.ts';
import { fileTree, type FileTree } from './payload.ts';
import type { CommandCounter } from './redis-commands.ts';
import type { ScenarioResult } from './run-scenario.ts';
import type { Subject } from './subject.ts';

/** A way that events take from one side to the other, ready to be measured. */
export interface OpenEventSubject {
  /** Resolves once so many events have been received, and acknowledged where that is part of it. */
  move(events: number): Promise<void>;
  /** The event that was received last. */
  last(): unknown;
  close(): Promise<unknown>;
}

export interface EventSubject extends Pick<Subject, 'name' | 'role'> {
  /** @param port of the private server of this run, on loopback @param event what each event carries */
  open(port: number, event: FileTree): Promise<OpenEventSubject>;
}

export interface EventScenario {
  readonly name: string;
  /** Of an event, as JSON. */
  readonly bytes: number;
  readonly goal: number;
  readonly subjects: readonly EventSubject[];
}

const VERIFIED = 500;

/** Proves that each subject hands over what was sent, then measures them side by side. */
export async function runEvents(
  scenario: EventScenario,
  server: { readonly port: number; readonly commands: CommandCounter },
  options: MeasureOptions,
): Promise<ScenarioResult> {
  const open: OpenEventSubject[] = [];
  const runners: { name: string; run: (operations: number) => Promise<void> }[] = [];
  const commandsPerRead = new Map<string, number>();
  const { subjects } = scenario;
  try {
    for (const [index, { name, open: opens }] of subjects.entries()) {
      const event = fileTree(index, scenario.bytes);
      const opened = await opens(server.port, event);
      open.push(opened);
      const before = await server.commands.total();
      await opened.move(VERIFIED);
      commandsPerRead.set(name, ((await server.commands.total()) - before) / VERIFIED);
      if (!isDeepStrictEqual(opened.last(), event)) throw new Error(`${name} does not hand over what was sent`);
      runners.push({ name, run: (operations) => opened.move(operations) });
    }
    return { scenario, subjects, timings: await measure(runners, options), commandsPerRead, absent: [] };
  } finally {
    for (const each of open) await each.close();
  }
}
