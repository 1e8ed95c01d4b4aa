import type { CheckedMetric } from '../definitions/checked-metrics.ts';
import { limitFault } from '../definitions/checked-metrics.ts';
import { quotaError } from '../errors.ts';
import type { GivenLimits } from './request-rows.ts';
import type { LimitChange } from '../stores/quota-store.ts';

type Metrics = ReadonlyMap<string, CheckedMetric>;

const OPTIONS: ReadonlySet<string> = new Set([
  ...['plan', 'limits', 'id', 'overflow', 'ttl'],
  ...['from', 'to', 'metrics'],
]);

/** @throws {TierkitError} `ERR_QUOTA_OPTIONS` naming every fault */
export function checkCallOptions(options: unknown): void {
  if (typeof options !== 'object' || options === null) {
    throw quotaError('ERR_QUOTA_OPTIONS', 'the options of a call must be an object');
  }
  const faults = Object.keys(options).filter((name) => !OPTIONS.has(name));
  if (faults.length === 0) return;
  throw quotaError('ERR_QUOTA_OPTIONS', `${faults.join(', ')}: not an option of a call`, { faults });
}

/** How amounts may be: `signed` ones may give back of a gauge, `gauges` takes no others, `counted` takes none of them. */
export interface AmountRules {
  readonly signed?: boolean;
  readonly gauges?: boolean;
  readonly counted?: boolean;
  readonly none?: boolean;
}

/**
 * The amounts of a call with their metrics, in the order of the metrics' definition.
 *
 * @throws {TierkitError} `ERR_QUOTA_AMOUNTS` naming every fault
 */
export function checkAmounts(
  metrics: Metrics,
  amounts: unknown,
  { signed = false, gauges = false, counted = false, none = false }: AmountRules,
): readonly { readonly metric: CheckedMetric; readonly amount: number }[] {
  if (typeof amounts !== 'object' || amounts === null || Array.isArray(amounts)) {
    throw quotaError('ERR_QUOTA_AMOUNTS', 'amounts by metric are needed, such as { api_calls: 1 }');
  }
  const given = Object.entries(amounts).filter((entry): entry is [string, unknown] => entry[1] !== undefined);
  const faults = given.flatMap(([name, amount]) => {
    const metric = metrics.get(name);
    if (metric === undefined) return [`${name} is no metric`];
    if (gauges && metric.periods.length > 0) return [`${name} is counted by period and cannot be set`];
    if (counted && metric.periods.length === 0) return [`${name} is a gauge: set it to what it is`];
    if (!Number.isSafeInteger(amount)) return [`${name} must be a whole number below 2^53, not ${shown(amount)}`];
    const mayFall = signed && metric.periods.length === 0;
    if ((amount as number) < 0 && !mayFall) return [`${name} must not be negative`];
    return [];
  });
  if (given.length === 0 && !none) faults.push('there are none');
  if (faults.length > 0) throw quotaError('ERR_QUOTA_AMOUNTS', `Amounts: ${faults.join('; ')}`, { faults });
  const asked = new Map(given);
  return [...metrics.values()].flatMap((metric) =>
    // -0 would be written as "-0".
    asked.has(metric.name) ? [{ metric, amount: (asked.get(metric.name) as number) + 0 }] : [],
  );
}

/** @throws {TierkitError} `ERR_QUOTA_LIMIT` naming every fault */
export function checkLimits(metrics: Metrics, limits: GivenLimits | null | undefined): void {
  if (limits === undefined) return;
  if (typeof limits !== 'object' || limits === null || Array.isArray(limits)) {
    throw quotaError('ERR_QUOTA_LIMIT', 'limits by metric are needed, such as { api_calls: 5000 }');
  }
  const faults = Object.entries(limits).flatMap(([name, limit]) => {
    const metric = metrics.get(name);
    if (metric === undefined) return [`${name} is no metric`];
    const fault = limit === undefined ? undefined : limitFault(limit, periodNames(metric));
    return fault === undefined ? [] : [`${name}: ${fault}`];
  });
  if (faults.length > 0) throw quotaError('ERR_QUOTA_LIMIT', `Limits: ${faults.join('; ')}`, { faults });
}

/** @throws {TierkitError} `ERR_QUOTA_LIMIT` naming every fault */
export function limitChanges(metrics: Metrics, limits: unknown): LimitChange[] {
  if (typeof limits !== 'object' || limits === null || Array.isArray(limits)) {
    throw quotaError('ERR_QUOTA_LIMIT', 'limits by metric are needed, such as { api_calls: 5000 }');
  }
  const faults: string[] = [];
  const changes = Object.entries(limits).flatMap(([name, given]: [string, unknown]) => {
    const metric = metrics.get(name);
    if (metric === undefined) faults.push(`${name} is no metric`);
    if (metric === undefined || given === undefined) return [];
    const names = periodNames(metric);
    const byPeriod: Readonly<Record<string, unknown>> =
      typeof given === 'object' && given !== null
        ? { ...given }
        : Object.fromEntries(names.map((period) => [period, given]));
    return Object.entries(byPeriod).flatMap(([period, limit]) => {
      if (limit === undefined) return [];
      const fault = limit === null ? limitFault({ [period]: 1 }, names) : limitFault({ [period]: limit }, names);
      if (fault !== undefined) faults.push(`${name}: ${fault}`);
      return [{ metric: name, period, limit: limit as number | null }];
    });
  });
  if (changes.length === 0 && faults.length === 0) faults.push('there are none');
  if (faults.length > 0) throw quotaError('ERR_QUOTA_LIMIT', `Limits: ${faults.join('; ')}`, { faults });
  return changes;
}

function periodNames({ periods }: CheckedMetric): readonly string[] {
  return periods.length === 0 ? ['gauge'] : periods.map(({ name }) => name);
}

function shown(value: unknown): string {
  return typeof value === 'number' ? String(value) : typeof value;
}
