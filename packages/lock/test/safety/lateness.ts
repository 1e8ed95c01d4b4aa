import { sleep } from '../../../../test/support/sleep.ts';
import type { Locks } from '../../src/index.ts';

const STEP_MS = 5;
/** What a step and a look at the lock take where there is time for them. */
const NOMINAL_MS = 8;

/**
 * How long after the end of a hold a waiter of this process has its lock, in milliseconds in which neither the process nor the
 * store was held up: what somebody lost who did nothing but look, again and again, is not the lock's doing. Before the end that
 * is the longest of these times, as the waiter may have asked in it, and then all of them.
 *
 * @param taken resolves when it has the lock
 */
export async function latenessOf(
  taken: Promise<unknown>,
  locks: Pick<Locks, 'inspect'>,
  name: string,
): Promise<number> {
  const won = { atMs: Infinity };
  const noted = taken.finally(() => (won.atMs = performance.now()));
  let endMs = Infinity;
  let longestMs = 0;
  let afterMs = 0;
  let [holder] = (await locks.inspect(name)).holders;
  while (won.atMs === Infinity) {
    const begunMs = performance.now();
    await sleep(STEP_MS);
    const [now] = (await locks.inspect(name)).holders;
    const nowMs = performance.now();
    const lostMs = Math.max(0, nowMs - begunMs - NOMINAL_MS);
    if (begunMs < endMs) longestMs = Math.max(longestMs, lostMs);
    else afterMs += lostMs;
    holder ??= now;
    if (now !== undefined && now.owner === holder?.owner) endMs = nowMs + now.ttlMs;
  }
  await noted;
  return won.atMs - endMs - longestMs - afterMs;
}
