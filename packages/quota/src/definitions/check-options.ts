import { parseDuration, safeLogger, systemClock, type Clock, type Duration, type Logger } from '@tierkit/core';
import { checkMetrics, checkThresholds, THRESHOLDS_RULE, type CheckedMetric } from './checked-metrics.ts';
import { quotaError } from '../errors.ts';
import type { QuotaOptions } from './options.ts';
import { Windows } from '../periods/windows.ts';
import type { OnUnavailable } from '../usage.ts';

/** Options that were checked, their defaults filled in. */
export interface CheckedOptions {
  readonly metrics: ReadonlyMap<string, CheckedMetric>;
  readonly prefix: string;
  readonly timeZone: string | ((plan: unknown) => string);
  readonly plan: ((subject: string) => unknown) | undefined;
  readonly onUnavailable: OnUnavailable;
  readonly onThreshold: QuotaOptions['onThreshold'] | undefined;
  readonly idTtlMs: number;
  readonly holdTtlMs: number;
  readonly logger: Logger;
  readonly clock: Clock;
}

const KNOWN: Readonly<Record<keyof QuotaOptions, true>> = {
  redis: true,
  prefix: true,
  timeZone: true,
  plan: true,
  onUnavailable: true,
  thresholds: true,
  onThreshold: true,
  idTtl: true,
  holdTtl: true,
  logger: true,
  telemetry: true,
  clock: true,
};

const DAY_MS = 86_400_000;
/** What a hold or a remembered id may last. */
export const LONGEST_MS = 35 * DAY_MS;

/** @throws {TierkitError} `ERR_QUOTA_OPTIONS` naming every fault */
export function checkOptions(metrics: unknown, given: unknown): CheckedOptions {
  const faults: string[] = [];
  if (typeof given !== 'object' || given === null) {
    throw quotaError('ERR_QUOTA_OPTIONS', "an options object is needed, such as { redis: 'memory' }");
  }
  const options = given as QuotaOptions;
  for (const name of Object.keys(given)) if (!Object.hasOwn(KNOWN, name)) faults.push(`${name} is not an option`);
  const { prefix = '', timeZone = 'UTC', plan, onUnavailable = 'refuse', onThreshold } = options;
  if (options.redis === undefined || options.redis === null || options.redis === '') {
    faults.push("redis must be a URL, options, a client, a connection, or 'memory'");
  }
  if (typeof prefix !== 'string' || !/^[\w.:-]*$/.test(prefix)) faults.push('prefix takes letters, digits and _ . : -');
  if (typeof timeZone !== 'function') attempt(() => new Windows().zone(timeZone), faults);
  if (plan !== undefined && typeof plan !== 'function') faults.push('plan must be a function');
  if (onThreshold !== undefined && typeof onThreshold !== 'function') faults.push('onThreshold must be a function');
  if (!['refuse', 'allow'].includes(onUnavailable)) faults.push("onUnavailable is 'refuse' or 'allow'");
  const thresholds = checkThresholds(options.thresholds ?? [0.8, 1]);
  if (thresholds === undefined) faults.push(THRESHOLDS_RULE);
  const duration = (value: Duration, name: string): number =>
    attempt(() => parseDuration(value, name, { minMs: 100, maxMs: LONGEST_MS }), faults) ?? 0;
  const idTtlMs = duration(options.idTtl ?? DAY_MS, 'idTtl');
  const holdTtlMs = duration(options.holdTtl ?? 300_000, 'holdTtl');
  const checked = checkMetrics(metrics, thresholds ?? [], faults);
  if (faults.length > 0) throw quotaError('ERR_QUOTA_OPTIONS', `Quota: ${faults.join('; ')}`, { faults });
  return {
    metrics: new Map(checked.map((metric) => [metric.name, metric])),
    prefix,
    timeZone,
    plan,
    onUnavailable,
    onThreshold,
    idTtlMs,
    holdTtlMs,
    logger: safeLogger(options.logger),
    clock: options.clock ?? systemClock,
  };
}

function attempt<T>(check: () => T, faults: string[]): T | undefined {
  try {
    return check();
  } catch (error) {
    faults.push(error instanceof Error ? error.message : String(error));
    return undefined;
  }
}
