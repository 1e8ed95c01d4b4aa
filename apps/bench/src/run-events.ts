import { isDeepStrictEqual } from 'node:util';
import type { MeasureOptions } from './measure.ts';
import { fileTree, type FileTree } from './payload.ts';
import type { ScenarioResult } from './run-scenario.ts';
import { commandsPer, sideBySide, type BenchServer } from './side-by-side.ts';
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
  server: BenchServer,
  options: MeasureOptions,
): Promise<ScenarioResult> {
  return sideBySide(scenario, options, async ({ name, open }, index, use) => {
    const event = fileTree(index, scenario.bytes);
    const opened = use(await open(server.port, event));
    const commandsPerOperation = await commandsPer(VERIFIED, server.commands, () => opened.move(VERIFIED));
    if (!isDeepStrictEqual(opened.last(), event)) throw new Error(`${name} does not hand over what was sent`);
    return { runner: { name, run: (operations) => opened.move(operations) }, commandsPerOperation };
  });
}
