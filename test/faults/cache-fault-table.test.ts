import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { createTiers, type Tiers } from '@tierkit/cache';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sleep } from '../support/sleep.ts';
import { until } from '../servers/index.ts';
import { cacheCalls, changed, mayReject } from './cache-calls.ts';
import { cacheFaults, startCacheUnderFault, type CacheFault } from './cache-faults.ts';

const commandTimeoutMs = 300;
const marginMs = 200;
/**
 * A Redis that answers each command in time, be it with an error, may be sent some by one call, one after the other. If
 * one of them is late on a busy machine, the next load of that key waits for the lease that nobody knows of.
 */
const answers: ReadonlySet<CacheFault> = new Set(['lagging', 'out of memory', 'read-only']);
const leaseMs = 1_000;
const answeredMs = 4 * commandTimeoutMs + leaseMs;
const faultMs = 2_500;
const folder = new URL('../../.tmp', import.meta.url).pathname;
const faults = Object.keys(cacheFaults) as CacheFault[];

interface Report {
  /** The longest time of each call, in milliseconds. */
  readonly longestMs: Map<string, number>;
  readonly wrong: string[];
  /** What the call that sets said while the fault was there. */
  readonly setConfirmed: Set<unknown>;
  /** Whatever was there before the fault and should have been changed, once all is settled. */
  readonly left: unknown[];
  readonly kept: unknown;
  readonly newest: unknown[];
  readonly lagMs: number;
}

const runs = new Map<CacheFault, Promise<Report>>();
const warnings: unknown[] = [];
const note = (warning: unknown): number => warnings.push(warning);

beforeAll(() => {
  process.on('warning', note);
  process.on('unhandledRejection', note);
  for (const fault of faults) {
    const run = observe(fault);
    run.catch(() => {});
    runs.set(fault, run);
  }
});
afterAll(async () => {
  process.off('warning', note);
  process.off('unhandledRejection', note);
  const reports = await Promise.all(runs.values());
  const rows = Object.keys(cacheCalls).map((name) =>
    [name].concat(reports.map(({ longestMs }) => String(Math.round(longestMs.get(name) ?? 0)))),
  );
  const heading = ['longest call, ms', ...faults];
  const lines = [heading, heading.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'cache-fault-table.md'), `${lines.join('\n')}\n`);
  process.stdout.write(`\n${lines.join('\n')}\n`);
});

async function observe(fault: CacheFault): Promise<Report> {
  const redis = await startCacheUnderFault(fault);
  const options = { redis: redis.url, load: { lease: leaseMs } };
  const [near, far] = [createTiers(options), createTiers(options)];
  const lag = monitorEventLoopDelay({ resolution: 5 });
  try {
    await Promise.all([near.ready(), far.ready()]);
    for (const id of [...changed, 'kept']) {
      await far.session(id).set('k', 'old');
      // What is read while the news of its change is still on the way is not kept in the process.
      for (const tiers of [near, far]) {
        await until('it is kept', async () => {
          await tiers.session(id).get('k');
          return tiers.session(id).peek('k') === 'old';
        });
      }
    }
    await redis.cause();
    lag.enable();
    const report = { longestMs: new Map<string, number>(), wrong: [], setConfirmed: new Set<unknown>() };
    const endMs = performance.now() + faultMs;
    // The first ones meet the fault all at once, the others what it has become.
    await Promise.all(Object.keys(cacheCalls).map((name) => timed(near, name, report)));
    while (performance.now() < endMs) {
      // Calls that are refused at once would leave this process no time for anything else.
      await sleep(5);
      for (const name of Object.keys(cacheCalls)) if (performance.now() < endMs) await timed(near, name, report);
    }
    lag.disable();
    await redis.repair();
    await until('all is settled', () =>
      [near, far].every((tiers) => tiers.stats().coherent && tiers.stats().unconfirmedScopes === 0),
    );
    const read = (scope: string): Promise<unknown[]> =>
      Promise.all([near, far].map((tiers) => tiers.session(scope).get('k')));
    const left = (await Promise.all(changed.map(read))).flat();
    const [kept] = await read('kept');
    await until('a write is confirmed', () => near.session('set').set('k', 'newest'));
    // The other one hears of it a moment later.
    await until('it is read', async () => (await far.session('set').get('k')) === 'newest', 1_000).catch(() => {});
    return { ...report, left, kept, newest: await read('set'), lagMs: lag.max / 1e6 };
  } finally {
    lag.disable();
    await Promise.all([near.close(), far.close()]);
    await redis.stop();
  }
}

async function timed(tiers: Tiers, name: string, report: Pick<Report, 'longestMs' | 'wrong' | 'setConfirmed'>) {
  const [call, mayAnswer] = cacheCalls[name] ?? [];
  if (call === undefined || mayAnswer === undefined) throw new Error(`no call ${name}`);
  const beganMs = performance.now();
  try {
    const answer = await call(tiers);
    if (name === 'set') report.setConfirmed.add(answer);
    if (!mayAnswer(answer)) report.wrong.push(`${name} answered ${JSON.stringify(answer)}`);
  } catch (error) {
    if (!mayReject.has(name)) report.wrong.push(`${name} rejected: ${String(error)}`);
  }
  report.longestMs.set(name, Math.max(report.longestMs.get(name) ?? 0, performance.now() - beganMs));
}

const reportOf = async (fault: CacheFault): Promise<Report> => {
  const report = await runs.get(fault);
  if (report === undefined) throw new Error('no such run');
  return report;
};

describe.each(faults)('Redis %s', (fault) => {
  it('no call takes longer than its deadline', async () => {
    const { longestMs, lagMs } = await reportOf(fault);
    // What this process was late by is nothing that the cache could have bounded.
    const slackMs = marginMs + Math.min(lagMs, 1_000);
    const boundMs = (answers.has(fault) ? answeredMs : commandTimeoutMs) + slackMs;
    expect([...longestMs].filter(([, ms]) => ms > boundMs)).toEqual([]);
    expect(longestMs.size).toBe(Object.keys(cacheCalls).length);
  });

  it('reads and writes answer, and never reject', async () => {
    const { wrong } = await reportOf(fault);
    expect([...new Set(wrong)]).toEqual([]);
  });

  it('a write says whether Redis has it', async () => {
    const { setConfirmed } = await reportOf(fault);
    // On a busy machine a link that lags may miss the deadline now and then.
    if (fault === 'lagging') expect(setConfirmed).toContain(true);
    else expect([...setConfirmed]).toEqual([false]);
  });

  it('nothing that was changed meanwhile is left, nothing else is lost, the newest write wins', async () => {
    const { left, kept, newest } = await reportOf(fault);
    expect(left).not.toContain('old');
    expect(kept).toBe(fault === 'stopped' || fault === 'killed' ? undefined : 'old');
    expect(newest).toEqual(['newest', 'newest']);
  });
});

it('nothing is left unhandled, and Node warns of nothing', async () => {
  await Promise.allSettled(runs.values());
  expect(warnings).toEqual([]);
});
