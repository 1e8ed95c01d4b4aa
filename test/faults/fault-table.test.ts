import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { faultTable } from './fault-table.ts';
import { faults, happensTo, topologies, type Fault, type Topology } from './faulty-redis.ts';
import { runFault, type FaultReport } from './run-fault.ts';

const commandTimeoutMs = 300;
const socketTimeoutMs = 1_000;
const marginMs = 200;
const closeMs = 1_500;
const recoveryMs = 5_000;
const outage = /^ERR_REDIS_(UNAVAILABLE|TIMEOUT|REPLY (READONLY|LOADING|MASTERDOWN|CLUSTERDOWN|MOVED|UNBLOCKED))$/;
const folder = new URL('../../.tmp', import.meta.url).pathname;

const faultNames = Object.keys(faults) as Fault[];
const cases = topologies.flatMap((topology) =>
  faultNames.filter((fault) => happensTo(fault, topology)).map((fault) => ({ topology, fault })),
);
const named = cases.map((one) => [`${one.topology}, ${one.fault}`, one] as const);
const runs = new Map<(typeof cases)[number], Promise<FaultReport>>();
const unhandled: unknown[] = [];
const note = (reason: unknown): number => unhandled.push(reason);

beforeAll(() => {
  process.on('unhandledRejection', note);
  // Beside each other, as they mostly wait, but no more than two of a topology.
  for (const topology of topologies) {
    const lanes: Promise<unknown>[] = [Promise.resolve(), Promise.resolve()];
    for (const [index, one] of cases.filter((each) => each.topology === topology).entries()) {
      const lane = index % lanes.length;
      const run = Promise.resolve(lanes[lane]).then(() => runFault(topology, one.fault));
      lanes[lane] = run.catch(() => undefined);
      runs.set(one, run);
    }
  }
});

afterAll(async () => {
  process.off('unhandledRejection', note);
  const settled = await Promise.allSettled(runs.values());
  const reports = settled.flatMap((run) => (run.status === 'fulfilled' ? [run.value] : []));
  const table = faultTable(reports);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'fault-table.md'), table);
  process.stdout.write(`\n${table}\n`);
});

/** Whether no healthy node is left. */
const isTotal = (topology: Topology, fault: Fault): boolean =>
  topology !== 'cluster' || ['absent', 'stopped', 'all frozen'].includes(fault);

it.each(named)('%s: every call is bounded, and so are recovery and close()', async (_, one) => {
  const report = await runs.get(one);
  if (report === undefined) throw new Error('no such run');
  // What this process was late by is nothing that the connection could have bounded.
  const slackMs = marginMs + Math.min(report.lagMs, 1_000);
  // Those who call while the first ones time out wait as well; after that nobody does, but that a healthy node may
  // answer the breaker's probe until the silent connection is given up.
  const waitedMs = 2 * commandTimeoutMs + (isTotal(one.topology, one.fault) ? 0 : socketTimeoutMs) + slackMs;
  expect(report.failed).toBeGreaterThan(0);
  expect(report.longestMs).toBeLessThanOrEqual(commandTimeoutMs + slackMs);
  expect(report.waitedUntilMs).toBeLessThanOrEqual(waitedMs);
  expect(report.failedUntilMs).toBeLessThanOrEqual(report.repairedAfterMs + recoveryMs);
  expect(report.closeMs).toBeLessThanOrEqual(closeMs);
  expect(report.codes.filter((code) => !outage.test(code))).toEqual([]);
});

it.each(named.filter(([, { fault }]) => fault !== 'absent'))('%s: listeners are told', async (_, one) => {
  const report = await runs.get(one);
  expect(report?.downAfterMs).toBeLessThanOrEqual(
    2 * commandTimeoutMs + marginMs + Math.min(report?.lagMs ?? 0, 1_000),
  );
});

it('no rejection was left unhandled', async () => {
  await Promise.allSettled(runs.values());
  expect(unhandled).toEqual([]);
});
