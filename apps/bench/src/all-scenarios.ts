import type { MeasureOptions } from './measure.ts';
import { runEvents } from './run-events.ts';
import { runInvalidation } from './run-invalidation.ts';
import { runLimit } from './run-limit.ts';
import { runMemory } from './run-memory.ts';
import { runOutage } from './run-outage.ts';
import { runQuota } from './run-quota.ts';
import { runContended, runUncontended } from './run-locks.ts';
import { runScenario, type ScenarioResult } from './run-scenario.ts';
import { runStampede } from './run-stampede.ts';
import type { BenchServer } from './side-by-side.ts';
import { runWriteBehindFlush, runWriteBehindWrites } from './run-write-behind.ts';
import { clearScope } from './scenarios/clear-scope.ts';
import { events } from './scenarios/events.ts';
import { invalidateTag } from './scenarios/invalidate-tag.ts';
import { l1Hit } from './scenarios/l1-hit.ts';
import { l2Hit } from './scenarios/l2-hit.ts';
import { limit } from './scenarios/limit.ts';
import { contendedLocks, quorumLocks, uncontendedLocks } from './scenarios/locks.ts';
import { memory } from './scenarios/memory.ts';
import { outage } from './scenarios/outage.ts';
import { quota } from './scenarios/quota.ts';
import { stampede } from './scenarios/stampede.ts';
import { telemetry, telemetryOff } from './scenarios/telemetry.ts';
import { twoTierMiss } from './scenarios/two-tier-miss.ts';
import { writeBehindFlush, writeBehindWrites } from './scenarios/write-behind.ts';
import { startRedis } from '@tierkit/tests/servers';

/** A scenario with the way it is measured. */
export interface Bench {
  readonly name: string;
  run(server: BenchServer, quick: boolean): Promise<ScenarioResult>;
}

const quickly: MeasureOptions = { rounds: 15, sliceMs: 40, warmUpMs: 250, maxMs: 8_000 };
const fully: MeasureOptions = { rounds: 60, sliceMs: 40, warmUpMs: 1_000, maxMs: 120_000 };

/** In the order in which they run. */
export const allScenarios: readonly Bench[] = [
  ...[...l1Hit, ...l2Hit, ...twoTierMiss, ...telemetry, ...telemetryOff].map((scenario): Bench => ({
    name: scenario.name,
    run: (server, quick) => runScenario(scenario, server, quick ? quickly : fully),
  })),
  ...[...invalidateTag, ...clearScope].map((scenario): Bench => ({
    name: scenario.name,
    run: (server, quick) => runInvalidation(scenario, server, quick ? scenario.quickRounds : scenario.rounds),
  })),
  ...stampede.map((scenario): Bench => ({
    name: scenario.name,
    run: (server, quick) => runStampede(scenario, server, quick ? 7 : 30),
  })),
  ...quota.map((scenario): Bench => ({
    name: scenario.name,
    run: (server, quick) => runQuota(scenario, server, quick ? quickly : fully),
  })),
  ...limit.map((scenario): Bench => ({
    name: scenario.name,
    run: (server, quick) => runLimit(scenario, server, quick ? quickly : fully),
  })),
  ...writeBehindWrites.map((scenario): Bench => ({
    name: scenario.name,
    run: (server, quick) => runWriteBehindWrites(scenario, server, quick ? quickly : fully),
  })),
  {
    name: writeBehindFlush.name,
    run: (server, quick) => runWriteBehindFlush(writeBehindFlush, server, quick ? 7 : 30),
  },
  ...events.map((scenario): Bench => ({
    name: scenario.name,
    run: (server, quick) => runEvents(scenario, server, quick ? quickly : fully),
  })),
  ...memory.map((scenario): Bench => ({
    name: scenario.name,
    run: (server, quick) => runMemory(scenario, server, quick ? 1 : 5),
  })),
  ...outage.map((scenario): Bench => ({
    name: scenario.name,
    run: (_server, quick) => runOutage(scenario, quick ? 1 : 5),
  })),
  ...uncontendedLocks.map((scenario): Bench => ({
    name: scenario.name,
    run: ({ port }, quick) => runUncontended(scenario, port, quick ? quickly : fully),
  })),
  ...contendedLocks.map((scenario): Bench => ({
    name: scenario.name,
    run: ({ port }, quick) => runContended(scenario, [port], quick ? 3 : 15),
  })),
  ...quorumLocks.map((scenario): Bench => ({
    name: scenario.name,
    async run({ port }, quick) {
      const others = await Promise.all([startRedis(), startRedis()]);
      try {
        return await runContended(scenario, [port, ...others.map((other) => other.port)], quick ? 3 : 15);
      } finally {
        await Promise.all(others.map((other) => other.stop()));
      }
    },
  })),
];
