import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { startChild } from './child-process.ts';
import { summariseHolds } from './hand-offs.ts';
import type { Goals } from './goals.ts';
import type { LockSubject } from './lock-subject.ts';
import { measure, type MeasureOptions } from './measure.ts';
import type { LockAnswer, LockOrder } from './processes/lock-process.ts';
import type { Extras, ScenarioResult } from './run-scenario.ts';

/** One operation: taking a lock that nobody else wants, and giving it back. */
export interface UncontendedLocks {
  readonly name: string;
  /** Callers, each with a lock of its own. */
  readonly concurrency: number;
  readonly goal: number;
  readonly subjects: readonly LockSubject[];
}

export async function runUncontended(
  { name, concurrency, goal, subjects }: UncontendedLocks,
  port: number,
  options: MeasureOptions,
): Promise<ScenarioResult> {
  const opened = await Promise.all(subjects.map(async (subject) => ({ subject, locks: await subject.open([port]) })));
  try {
    const runners = opened.map(({ subject, locks }, index) => ({
      name: subject.name,
      run: async (operations: number): Promise<void> => {
        let left = operations;
        await Promise.all(
          Array.from({ length: concurrency }, async (_, i) => {
            while (left-- > 0) await (await locks.take(`${name}:${index}:${i}`))();
          }),
        );
      },
    }));
    const timings = await measure(runners, options);
    return { scenario: { name, goal }, subjects, timings, commandsPerRead: new Map(), absent: [] };
  } finally {
    for (const { locks } of opened) await locks.close();
  }
}

/** Many waiters in several processes want one lock. */
export interface ContendedLocks {
  readonly name: string;
  readonly processes: number;
  readonly waiters: number;
  /** How long all of them take it over and over; 0 drains a herd that came while somebody held it. */
  readonly forMs: number;
  readonly goals?: Goals;
  readonly subjects: readonly LockSubject[];
}

/** After so long a subject that has not drained its herd is given up on. */
const GIVE_UP_MS = 30_000;

/** An operation is a hand-off to another waiter; for a herd, the time until the last of it has had the lock. */
export async function runContended(
  scenario: ContendedLocks,
  ports: readonly number[],
  rounds: number,
): Promise<ScenarioResult> {
  const { subjects, forMs } = scenario;
  const timings = subjects.map(({ name }) => ({ name, nsPerOperation: [] as number[] }));
  const commandsPerRead = new Map<string, number>();
  const extras = new Map<string, Extras>();
  for (let round = 0; round < rounds; round++) {
    for (const { name, nsPerOperation } of timings) {
      const outcome = await contend(scenario, name, ports);
      nsPerOperation.push(outcome.nsPerOperation);
      commandsPerRead.set(name, outcome.commands);
      extras.set(name, outcome.extras);
    }
  }
  const units = forMs > 0 ? {} : { units: ['ns/herd', 'herds/s'] as const };
  const { name, goals = {} } = scenario;
  return {
    scenario: { name, goal: undefined, goals },
    subjects,
    timings,
    commandsPerRead,
    absent: [],
    extras,
    ...units,
  };
}

interface Outcome {
  readonly nsPerOperation: number;
  readonly commands: number;
  readonly extras: Extras;
}

async function contend(scenario: ContendedLocks, name: string, ports: readonly number[]): Promise<Outcome> {
  const { subjects, processes, waiters, forMs } = scenario;
  const subject = subjects.find((each) => each.name === name);
  if (subject === undefined) throw new Error(`no lock is called ${name}`);
  const children = Array.from({ length: processes }, () => startChild<LockOrder, LockAnswer>('lock-process'));
  const order = { subject: name, ports, holdMs: 0, forMs: 0 };
  const ask = async (orders: Omit<LockOrder, 'waiters'>): Promise<LockAnswer[]> =>
    Promise.all(children.map((child, i) => child.ask({ ...orders, waiters: Math.floor((waiters + i) / processes) })));
  const locks = await subject.open(ports);
  try {
    // Connects and compiles; alone, as a crowd at a quorum may block itself for longer than anybody wants to wait.
    await Promise.all(children.map((child) => child.ask({ ...order, lock: randomUUID(), forMs: 300, waiters: 1 })));
    const lock = randomUUID();
    if (forMs > 0) {
      const answers = await ask({ ...order, lock, forMs, holdMs: 1 });
      return handOffs(answers, forMs);
    }
    const release = await locks.take(lock);
    const drained = ask({ ...order, lock });
    drained.catch(() => undefined);
    await sleep(500);
    const start = performance.now();
    await release();
    const answers = await Promise.race([drained, sleep(GIVE_UP_MS, undefined, { ref: false })]);
    const commands = (answers ?? []).reduce((sum, answer) => sum + answer.commands, 0);
    const extras = answers === undefined ? { unfinished: waiters } : {};
    return { nsPerOperation: (performance.now() - start) * 1e6, commands, extras };
  } finally {
    await Promise.all(children.map((child) => child.stop()));
    await locks.close();
  }
}

function handOffs(answers: readonly LockAnswer[], forMs: number): Outcome {
  const { count, selfRegrants, fairness, longestWaitToMedian, overlaps } = summariseHolds(
    answers.flatMap(({ holds }) => holds),
  );
  if (overlaps > 0) throw new Error(`${overlaps} holds overlapped`);
  const commands = answers.reduce((sum, answer) => sum + answer.commands, 0);
  return {
    nsPerOperation: (forMs * 1e6) / count,
    commands: commands / count,
    extras: {
      fairness: round(fairness),
      longestWaitToMedian: round(longestWaitToMedian),
      selfRegrants: round(selfRegrants),
    },
  };
}

const round = (value: number): number => Math.round(value * 1000) / 1000;
