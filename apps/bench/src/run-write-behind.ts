import { isDeepStrictEqual } from 'node:util';
import { measure, type MeasureOptions, type Timing } from './measure.ts';
import { fileTree } from './payload.ts';
import type { ScenarioResult } from './run-scenario.ts';
import { createRunner } from './runner.ts';
import { commandsPer, type BenchServer } from './side-by-side.ts';
import type { OpenWriteBehindSubject, WriteBehindScenario } from './write-behind-subject.ts';

const KEYS = 1_000;

interface Participant {
  readonly name: string;
  readonly open: OpenWriteBehindSubject;
  readonly keys: readonly string[];
}

/** Proves that what is written is there, then measures writes until they are acknowledged. */
export async function runWriteBehindWrites(
  scenario: WriteBehindScenario,
  server: BenchServer,
  options: MeasureOptions,
): Promise<ScenarioResult> {
  return withParticipants(scenario, server, async (participants) => {
    const value = fileTree(1, scenario.valueBytes);
    const runners = participants.map(({ name, open, keys }) => {
      const write = (key: string): Promise<unknown> => open.write(key, value);
      const asSubject = { read: write, write, close: open.close };
      return createRunner(name, asSubject, { keys, concurrency: scenario.concurrency });
    });
    return measure(runners, options);
  });
}

/** Measures how long it takes to flush 1,000 keys that were written just before, which does not count. */
export async function runWriteBehindFlush(
  scenario: WriteBehindScenario,
  server: BenchServer,
  rounds: number,
): Promise<ScenarioResult> {
  return withParticipants(scenario, server, async (participants) => {
    const timings = participants.map(({ name }) => ({ name, nsPerOperation: [] as number[] }));
    for (let round = -1; round < rounds; round++) {
      for (const [index, { name, open, keys }] of participants.entries()) {
        const value = fileTree(round + 2, scenario.valueBytes);
        await Promise.all(keys.map((key) => open.write(key, value)));
        const startMs = performance.now();
        const flushed = await open.flush();
        const tookMs = performance.now() - startMs;
        if (flushed < keys.length) throw new Error(`${name} flushed ${flushed} of ${keys.length}`);
        // The first round warms up.
        if (round >= 0) timings[index]?.nsPerOperation.push((tookMs / flushed) * 1e6);
      }
    }
    return timings;
  });
}

async function withParticipants(
  scenario: WriteBehindScenario,
  server: BenchServer,
  run: (participants: readonly Participant[]) => Promise<readonly Timing[]>,
): Promise<ScenarioResult> {
  const participants: Participant[] = [];
  const commandsPerRead = new Map<string, number>();
  try {
    for (const [index, { name, open }] of scenario.subjects.entries()) {
      const keys = Array.from({ length: KEYS }, (_, i) => `s${index}:file:${i}`);
      const opened = await open(server.port);
      participants.push({ name, open: opened, keys });
      const writing = async (): Promise<void> => {
        for (const [i, key] of keys.entries()) await opened.write(key, fileTree(i, scenario.valueBytes));
      };
      commandsPerRead.set(name, await commandsPer(KEYS, server.commands, writing));
      for (const [i, key] of keys.entries()) {
        const same = isDeepStrictEqual(await opened.read(key), fileTree(i, scenario.valueBytes));
        if (!same) throw new Error(`${name} does not give back what was written: ${key}`);
      }
      await opened.flush();
    }
    const { subjects } = scenario;
    return { scenario, subjects, timings: await run(participants), commandsPerRead, absent: [] };
  } finally {
    for (const { open } of participants) await open.close();
  }
}
