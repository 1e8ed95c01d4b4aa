import { setTimeout as sleep } from 'node:timers/promises';
import type { OpenLoadingSubject } from './loading-subject.ts';

export interface CallsOptions {
  /** No call begins after so long. */
  readonly forMs: number;
  /** A call that takes longer is cut off. */
  readonly boundMs: number;
}

/** What came of calls of which some ask for what is stored, others for what nobody has. */
export interface CallsReport {
  readonly longestMs: number;
  readonly calls: number;
  readonly unfinished: number;
  readonly failed: number;
}

const CALLERS = 10;
const STORED = 50;
const PAUSE_MS = 5;

/** Stores what half of the calls ask for. */
export async function storeBeforehand(cache: OpenLoadingSubject): Promise<void> {
  for (let i = 0; i < STORED; i++) await cache.getOrSet(`stored:${i}`, async () => `stored ${i}`);
}

/** Ten callers, each with a pause between its calls, so that those that are answered at once starve no other. */
export async function longestCall(
  cache: Pick<OpenLoadingSubject, 'getOrSet'>,
  { forMs, boundMs }: CallsOptions,
): Promise<CallsReport> {
  const start = performance.now();
  const report = { longestMs: 0, calls: 0, unfinished: 0, failed: 0 };
  const call = async (): Promise<boolean> => {
    const index = report.calls++;
    const key = index % 2 === 0 ? `stored:${(index / 2) % STORED}` : `new:${index}`;
    const begin = performance.now();
    const outcome = await Promise.race([outcomeOf(() => cache.getOrSet(key, async () => 'loaded')), cutOff(boundMs)]);
    report.longestMs = Math.max(report.longestMs, performance.now() - begin);
    if (outcome !== 'answered') report[outcome]++;
    return outcome !== 'unfinished';
  };
  const caller = async (): Promise<void> => {
    while (performance.now() - start < forMs) {
      if (!(await call())) return;
      await sleep(PAUSE_MS);
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, caller));
  return report;
}

async function outcomeOf(call: () => Promise<unknown>): Promise<'answered' | 'failed'> {
  try {
    const value = await call();
    return value === undefined || value === null ? 'failed' : 'answered';
  } catch {
    return 'failed';
  }
}

const cutOff = (ms: number): Promise<'unfinished'> => sleep(ms, 'unfinished', { ref: false });
