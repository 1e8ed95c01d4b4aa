import { setImmediate as nextTurn } from 'node:timers/promises';
import type { AnalysisService } from './service.ts';

/** When a change made elsewhere reached this process; times are of the system's monotonic clock, so processes compare. */
export interface SeenChange {
  /** `undefined` when it never did. */
  readonly droppedAtMs: number | undefined;
  /** What a read answered after that. */
  readonly hash: string;
}

/** The system's monotonic clock in milliseconds, the same in all processes of this machine. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** Looks at what this process holds of a file, without rest, until it is no longer the given version; then reads it. */
export async function watchForChange(
  service: AnalysisService,
  project: string,
  path: string,
  oldHash: string,
  timeoutMs: number,
): Promise<SeenChange> {
  const deadline = monotonicMs() + timeoutMs;
  let droppedAtMs: number | undefined;
  while (droppedAtMs === undefined && monotonicMs() < deadline) {
    if (service.heldReport(project, path)?.hash === oldHash) await nextTurn();
    else droppedAtMs = monotonicMs();
  }
  const { value } = await service.report(project, path);
  return { droppedAtMs, hash: value.hash };
}
