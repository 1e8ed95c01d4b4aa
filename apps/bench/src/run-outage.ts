import { setTimeout as sleep } from 'node:timers/promises';
import { startRedis, type StandaloneRedis } from '@tierkit/tests/servers';
import { startChild, type Child } from './child-process.ts';
import type { LoadingSubject } from './loading-subject.ts';
import type { CallsReport } from './longest-call.ts';
import type { OutageOrder } from './processes/outage-process.ts';
import type { ScenarioResult } from './run-scenario.ts';

/** The longest of many calls, some of them under way when something happens to Redis. */
export interface OutageScenario {
  readonly name: string;
  readonly strike: (server: StandaloneRedis) => unknown;
  readonly subjects: readonly LoadingSubject[];
}

const BEFORE_MS = 200;
const CALLS = { forMs: 1_200, boundMs: 5_000 };

type Caller = Child<OutageOrder, CallsReport | undefined>;

/** Each subject has a process, a server and an outage of its own. */
export async function runOutage(scenario: OutageScenario, rounds: number): Promise<ScenarioResult> {
  const timings = new Map<string, number[]>();
  const absent = new Map<string, string>();
  const extras = new Map<string, CallsReport>();
  for (let round = 0; round < rounds; round++) {
    for (const { name } of scenario.subjects) {
      if (absent.has(name)) continue;
      try {
        const report = await callsThrough(scenario, name);
        timings.set(name, [...(timings.get(name) ?? []), report.longestMs * 1e6]);
        extras.set(name, worseOf(report, extras.get(name)));
      } catch (error) {
        absent.set(name, (error as Error).message);
      }
    }
  }
  return {
    scenario: { name: scenario.name, goal: undefined },
    subjects: scenario.subjects.filter(({ name }) => !absent.has(name)),
    timings: [...timings].map(([name, nsPerOperation]) => ({ name, nsPerOperation })),
    commandsPerRead: new Map(),
    absent: [...absent].map(([name, reason]) => ({ name, reason })),
    extras,
  };
}

async function callsThrough({ strike }: OutageScenario, open: string): Promise<CallsReport> {
  const server = await startRedis();
  const child: Caller = startChild('outage-process');
  try {
    await child.ask({ open, port: server.port });
    const calls = child.ask(CALLS);
    await Promise.race([calls, sleep(BEFORE_MS)]);
    await strike(server);
    const report = await calls;
    if (report === undefined) throw new Error('it made no calls');
    return report;
  } finally {
    await child.stop();
    await server.stop();
  }
}

function worseOf(report: CallsReport, other: CallsReport | undefined): CallsReport {
  return {
    longestMs: Math.round(Math.max(report.longestMs, other?.longestMs ?? 0) * 10) / 10,
    calls: report.calls + (other?.calls ?? 0),
    unfinished: report.unfinished + (other?.unfinished ?? 0),
    failed: report.failed + (other?.failed ?? 0),
  };
}
