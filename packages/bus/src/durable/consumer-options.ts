import type { Duration } from '@tierkit/core';
import { busError } from '../errors.ts';
import { Faults } from '../faults.ts';
import type { From } from './from.ts';

export interface ConsumeOptions {
  /** Who shares the work: each event goes to one consumer of a group. */
  readonly group: string;
  /** Where a group begins that does not exist yet. @default 'now' */
  readonly from?: From;
  /** Handlers at work at the same time; with 1, events are handled in order as long as none fails. @default 1 */
  readonly concurrency?: number;
  /** Events taken from Redis at once. @default 100 */
  readonly batch?: number;
  /** How often an event is tried before it becomes a dead letter; what a consumer died with counts, begun or not. @default 5 */
  readonly maxAttempts?: number;
  /** Wait after the first failure, doubled with each further one. @default '1s' */
  readonly backoff?: Duration;
  /** The longest wait between two attempts, `claimAfter` at the most. @default '30s' */
  readonly maxBackoff?: Duration;
  /** Silence of a consumer after which others take over what it had. A handler at work is not silent. @default '30s' */
  readonly claimAfter?: Duration;
  /** How long `close` waits for handlers at work. @default '5s' */
  readonly drainTimeout?: Duration;
  /** Ends the consumer as `close` does. */
  readonly signal?: AbortSignal;
}

/** Options after validation. */
export interface ConsumerSettings {
  readonly group: string;
  readonly concurrency: number;
  readonly batch: number;
  readonly maxAttempts: number;
  readonly backoffMs: number;
  readonly maxBackoffMs: number;
  readonly claimAfterMs: number;
  readonly drainTimeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

const KNOWN: Readonly<Record<keyof ConsumeOptions, true>> = {
  group: true,
  from: true,
  concurrency: true,
  batch: true,
  maxAttempts: true,
  backoff: true,
  maxBackoff: true,
  claimAfter: true,
  drainTimeout: true,
  signal: true,
};

/** @throws {TierkitError} `ERR_BUS_OPTIONS` naming every fault */
export function consumerSettings(options: ConsumeOptions): ConsumerSettings {
  const faults = new Faults(options, KNOWN, 'consume: ');
  faults.expect(isGroup(options?.group), 'group must be a name');
  const claimAfterMs = faults.duration('claimAfter', 30_000);
  const maxBackoffMs = faults.duration('maxBackoff', Math.min(30_000, claimAfterMs));
  faults.expect(maxBackoffMs <= claimAfterMs, 'maxBackoff must not be longer than claimAfter');
  const settings: ConsumerSettings = {
    group: options?.group,
    concurrency: faults.whole('concurrency', 1, 10_000),
    batch: faults.whole('batch', 100, 10_000),
    maxAttempts: faults.whole('maxAttempts', 5, 10_000),
    backoffMs: Math.min(faults.duration('backoff', 1_000), maxBackoffMs),
    maxBackoffMs,
    claimAfterMs,
    drainTimeoutMs: faults.duration('drainTimeout', 5_000),
    signal: faults.signal(),
  };
  faults.throwIfAny();
  return settings;
}

/** @throws {TierkitError} `ERR_BUS_OPTIONS` */
export function requireGroup(group: unknown): void {
  if (!isGroup(group)) throw busError('ERR_BUS_OPTIONS', 'group must be a name');
}

export function isGroup(group: unknown): group is string {
  return typeof group === 'string' && group !== '' && group.length <= 256;
}
