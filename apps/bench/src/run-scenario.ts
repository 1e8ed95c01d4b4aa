import { isDeepStrictEqual } from 'node:util';
import type { MeasureOptions, Timing } from './measure.ts';
import { fileTree } from './payload.ts';
import type { Goals } from './goals.ts';
import type { CommandCounter } from './redis-commands.ts';
import { createRunner, neverNeeded } from './runner.ts';
import type { Scenario } from './scenario.ts';
import { commandsPer, sideBySide, type BenchServer } from './side-by-side.ts';
import type { OpenSubject, Setup, Subject } from './subject.ts';

export interface ScenarioResult {
  readonly scenario: Pick<Scenario, 'name' | 'goal'> & { readonly goals?: Goals };
  /** The subjects that took part. */
  readonly subjects: readonly Pick<Subject, 'name' | 'role'>[];
  readonly timings: readonly Timing[];
  /** Redis commands per read, as the server counted them while the values were verified; empty where they say nothing. */
  readonly commandsPerRead: ReadonlyMap<string, number>;
  readonly absent: readonly { readonly name: string; readonly reason: string }[];
  /** What was counted besides. */
  readonly extras?: ReadonlyMap<string, Extras>;
  /** What the table calls the time of an operation and its inverse. @default ns/op and ops/s */
  readonly units?: readonly [perOperation: string, inverse: string];
}

/** More fields of a row, where its scenario counts them. */
export interface Extras {
  /** The most loads that one stampede took, in all processes together. */
  readonly loads?: number;
  readonly bytesPerEntry?: number;
  /** A call that did not end counts with the bound at which it was cut off. */
  readonly longestMs?: number;
  readonly calls?: number;
  /** Calls that were cut off. */
  readonly unfinished?: number;
  /** Calls that rejected, though their load did not fail. */
  readonly failed?: number;
  /** Jain's index of how often each waiter had the lock; 1 is alike. */
  readonly fairness?: number;
  readonly longestWaitToMedian?: number;
  /** The share of holds that went back to the waiter who had just released. */
  readonly selfRegrants?: number;
}

/** Opens the subjects, proves that each reads what it should from where it should, and measures them side by side. */
export async function runScenario(
  scenario: Scenario,
  server: BenchServer,
  options: MeasureOptions,
): Promise<ScenarioResult> {
  const { level, operation, concurrency } = scenario;
  // Reading more keys in turn than the level holds, each read evicts what a later one needs.
  const maxEntries = level === 'two-tier' ? Math.floor(scenario.keys / 3) : scenario.keys * 2;
  const tags = Array.from({ length: scenario.tags ?? 0 }, (_, i) => `tag:${i}`);
  const setup: Setup = { level, operation, port: server.port, maxEntries, tags };
  return sideBySide(scenario, options, async ({ name, open }, index, use) => {
    const opened = await open(setup);
    if ('absent' in opened) return opened;
    use(opened);
    const keys = Array.from({ length: scenario.keys }, (_, i) => `s${index}:file:${i}`);
    const values = keys.map((_, i) => fileTree(i, scenario.valueBytes));
    for (const [i, key] of keys.entries()) await opened.write(key, values[i]);
    const reads = readsOf(opened, keys, values, scenario.batch);
    if (reads === undefined) return { absent: 'it has no call for several keys' };
    const commandsPerOperation = await verify(name, reads, level, server.commands);
    return { runner: createRunner(name, reads.open, { keys: reads.keys, concurrency }), commandsPerOperation };
  });
}

interface Reads {
  readonly open: OpenSubject;
  readonly keys: readonly string[];
  readonly values: readonly unknown[];
}

/** What one read is: a key, or so many of them, named by the first. Undefined for a subject that cannot. */
export function readsOf(
  open: OpenSubject,
  keys: readonly string[],
  values: readonly unknown[],
  batch: number | undefined,
): Reads | undefined {
  if (batch === undefined) return { open, keys, values };
  const { readMany } = open;
  if (readMany === undefined) return undefined;
  const first = keys.filter((_, index) => index % batch === 0);
  const groups = new Map(first.map((key, index) => [key, keys.slice(index * batch, (index + 1) * batch)]));
  return {
    open: { ...open, read: (key) => readMany(groups.get(key) ?? []) },
    keys: first,
    values: first.map((_, index) => values.slice(index * batch, (index + 1) * batch)),
  };
}

async function verify(
  name: string,
  { open, keys, values }: Reads,
  level: Setup['level'],
  commands: CommandCounter,
): Promise<number> {
  if (level === 'l1') for (const key of keys) await open.read(key, neverNeeded);
  const perRead = await commandsPer(keys.length, commands, async () => {
    for (const [i, key] of keys.entries()) {
      const value = await open.read(key, neverNeeded);
      if (!isDeepStrictEqual(value, values[i])) throw new Error(`${name} does not give back what it was given: ${key}`);
    }
  });
  // A heartbeat may fall among the reads.
  if (level === 'l1' && perRead > 0.1) throw new Error(`${name} asks Redis on a hit in process (${perRead} a read)`);
  if (level !== 'l1' && perRead < 1) throw new Error(`${name} does not ask Redis (${perRead} commands a read)`);
  return perRead;
}
