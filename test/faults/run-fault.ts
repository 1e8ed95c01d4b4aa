import { monitorEventLoopDelay } from 'node:perf_hooks';
import { createRedis } from '@tierkit/redis';
import { sleep } from '../support/sleep.ts';
import { startFaultyRedis, type Fault, type FaultyRedis, type Topology } from './faulty-redis.ts';
import { Load } from './load.ts';

/** What calls went through while a fault came and went. All times are milliseconds. */
export interface FaultReport {
  readonly topology: Topology;
  readonly fault: Fault;
  readonly calls: number;
  readonly failed: number;
  /** The longest call, whatever its outcome. */
  readonly longestMs: number;
  /** From the fault to the end of the last call that kept its caller waiting in vain; 0 if all were refused at once. */
  readonly waitedUntilMs: number;
  /** From the fault until the connection told that Redis cannot be used, if it did. */
  readonly downAfterMs: number | undefined;
  /** From the fault to the last call that failed. */
  readonly failedUntilMs: number;
  /** From the fault until it was repaired. */
  readonly repairedAfterMs: number;
  /** How long `close()` took in the middle of the fault, with calls under way. */
  readonly closeMs: number;
  /** Codes of errors, with the first word of a reply. */
  readonly codes: readonly string[];
  /** How long this process itself kept callbacks waiting, at worst. */
  readonly lagMs: number;
}

const faultMs = 4_000;
/** A call that fails within this time was refused at once, even if the process was busy. */
const atOnceMs = 50;

/** Causes one fault under load, repairs it, and waits until all calls have succeeded for a second. */
export async function runFault(topology: Topology, fault: Fault): Promise<FaultReport> {
  const redis = await startFaultyRedis(topology, fault);
  try {
    if (fault === 'absent') await redis.cause(fault);
    return await observe(topology, fault, redis);
  } finally {
    await redis.stop();
  }
}

async function observe(topology: Topology, fault: Fault, redis: FaultyRedis): Promise<FaultReport> {
  const connection = createRedis(redis.options);
  const doomed = createRedis(redis.options);
  const load = new Load(connection, redis.key);
  const doomedLoad = new Load(doomed, redis.key);
  const lag = monitorEventLoopDelay({ resolution: 5 });
  try {
    if (fault !== 'absent') await Promise.all([load, doomedLoad].map((one) => one.flawlessFor(500)));
    lag.enable();
    const began = performance.now();
    let downAfterMs: number | undefined;
    connection.onStateChange((state) => {
      if (state === 'down') downAfterMs ??= performance.now() - began;
    });
    if (fault !== 'absent') await redis.cause(fault);
    await sleep(100);
    const closing = performance.now();
    await doomed.close();
    const closeMs = performance.now() - closing;
    await doomedLoad.stop();
    await sleep(Math.max(0, began + faultMs - performance.now()));
    const repairedAfterMs = performance.now() - began;
    await redis.repair(fault);
    await load.flawlessFor(1_000);
    const calls = load.calls.filter(({ end }) => end >= began);
    const failed = calls.filter(({ error }) => error !== undefined);
    const waited = failed.filter(({ begin, end }) => end - begin > atOnceMs && end < began + repairedAfterMs);
    return {
      topology,
      fault,
      calls: calls.length,
      failed: failed.length,
      longestMs: greatest([...calls, ...doomedLoad.calls].map(({ begin, end }) => end - begin)),
      waitedUntilMs: greatest(waited.map(({ end }) => end - began)),
      downAfterMs,
      failedUntilMs: greatest(failed.map(({ end }) => end - began)),
      repairedAfterMs,
      closeMs,
      codes: [...new Set([...failed, ...doomedLoad.calls].flatMap(({ error }) => (error ? [codeOf(error)] : [])))],
      lagMs: lag.max / 1e6,
    };
  } finally {
    lag.disable();
    await Promise.all([load.stop(), doomedLoad.stop()]);
    await Promise.all([connection.close(), doomed.close()]);
  }
}

const greatest = (moments: readonly number[]): number => Math.max(0, ...moments);

function codeOf(error: Error): string {
  const { code, details } = error as { code?: string; details?: { reply?: string } };
  if (code === undefined) return `${error.name}: ${error.message}`;
  return details?.reply === undefined ? code : `${code} ${details.reply}`;
}
