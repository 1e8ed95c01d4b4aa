import { LONGEST_TIMER_MS, parseDuration, type Duration } from '@tierkit/core';
import { busError } from '../errors.ts';
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
  /** How often an event is handed out before it becomes a dead letter. @default 5 */
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
  const faults: string[] = [];
  const given: Readonly<Record<string, unknown>> = { ...options };
  for (const name of Object.keys(given)) if (!Object.hasOwn(KNOWN, name)) faults.push(`${name} is not an option`);
  const { group } = options ?? {};
  if (typeof group !== 'string' || group === '' || group.length > 256) faults.push('group must be a name');
  const whole = (name: 'concurrency' | 'batch' | 'maxAttempts', fallback: number): number => {
    const value = given[name] ?? fallback;
    if (Number.isSafeInteger(value) && (value as number) > 0 && (value as number) <= 10_000) return value as number;
    faults.push(`${name} must be a whole number from 1 to 10000`);
    return fallback;
  };
  const duration = (name: 'backoff' | 'maxBackoff' | 'claimAfter' | 'drainTimeout', fallback: number): number => {
    try {
      return parseDuration((given[name] as Duration | undefined) ?? fallback, name, { maxMs: LONGEST_TIMER_MS });
    } catch (error) {
      faults.push(error instanceof Error ? error.message : `${name} is no duration`);
      return fallback;
    }
  };
  const claimAfterMs = duration('claimAfter', 30_000);
  const maxBackoffMs = duration('maxBackoff', Math.min(30_000, claimAfterMs));
  if (maxBackoffMs > claimAfterMs) faults.push('maxBackoff must not be longer than claimAfter');
  const settings: ConsumerSettings = {
    group,
    concurrency: whole('concurrency', 1),
    batch: whole('batch', 100),
    maxAttempts: whole('maxAttempts', 5),
    backoffMs: Math.min(duration('backoff', 1_000), maxBackoffMs),
    maxBackoffMs,
    claimAfterMs,
    drainTimeoutMs: duration('drainTimeout', 5_000),
  };
  if (faults.length > 0) throw busError('ERR_BUS_OPTIONS', `consume: ${faults.join('; ')}`, { details: { faults } });
  return settings;
}
