import type { QueueSettings } from './options.ts';

/** How long to wait after so many failures: doubled with each, up to a bound, and not the same for everybody. */
export function backoff({ backoffMs, maxBackoffMs }: QueueSettings, failures: number): number {
  const doublings = Math.min(Math.max(failures - 1, 0), 20);
  return Math.min(maxBackoffMs, backoffMs * 2 ** doublings) * (0.75 + Math.random() / 2);
}
