import type { LimitValue } from './metrics.ts';
import { checkPeriod, type CheckedPeriod } from '../periods/period.ts';
import type { Overflow } from '../stores/quota-store.ts';

/** A metric that was checked, its defaults filled in. */
export interface CheckedMetric {
  readonly name: string;
  /** Empty for a gauge. */
  readonly periods: readonly CheckedPeriod[];
  readonly limit: LimitValue | ((plan: unknown) => LimitValue);
  readonly overflow: Overflow;
  /** Ascending. */
  readonly thresholds: readonly number[];
}

const NAME = /^[\w.-]{1,64}$/;
const MOST_METRICS = 64;
const MOST_PERIODS = 8;
const OPTIONS: ReadonlySet<string> = new Set(['per', 'gauge', 'limit', 'overflow', 'thresholds']);

/** What is wrong goes to `faults`. */
export function checkMetrics(given: unknown, thresholds: readonly number[], faults: string[]): CheckedMetric[] {
  const entries = typeof given === 'object' && given !== null && !Array.isArray(given) ? Object.entries(given) : [];
  if (entries.length === 0) faults.push("metrics must be an object such as { api_calls: { per: 'day', limit: 1000 } }");
  if (entries.length > MOST_METRICS) faults.push(`there can be no more than ${MOST_METRICS} metrics`);
  return entries.map(([name, metric]: [string, unknown]) => {
    const fault = (text: string): void => void faults.push(`${name}: ${text}`);
    if (!NAME.test(name)) fault('a name takes letters, digits and _ . -, 64 at most');
    return checkMetric(name, metric, thresholds, fault);
  });
}

function checkMetric(
  name: string,
  given: unknown,
  ofAll: readonly number[],
  fault: (text: string) => void,
): CheckedMetric {
  if (typeof given !== 'object' || given === null) {
    fault("must be an object such as { per: 'day', limit: 1000 }");
    return { name, periods: [], limit: Infinity, overflow: 'reject', thresholds: [] };
  }
  const { per, gauge, limit, overflow = 'reject', thresholds = ofAll } = given as Readonly<Record<string, unknown>>;
  for (const option of Object.keys(given)) if (!OPTIONS.has(option)) fault(`${option} is not an option`);
  if ((gauge === true) === (per !== undefined)) fault('takes either per or gauge: true');
  const periods: CheckedPeriod[] = [];
  for (const each of per === undefined ? [] : Array.isArray(per) ? per : [per]) {
    const period = checkPeriod(each);
    if ('fault' in period) fault(`per ${period.fault}`);
    else if (periods.some((other) => other.name === period.name)) fault(`per has ${period.name} twice`);
    else periods.push(period);
  }
  if (Array.isArray(per) && (per.length === 0 || per.length > MOST_PERIODS)) {
    fault(`per takes 1 to ${MOST_PERIODS} periods`);
  }
  const names = per === undefined ? ['gauge'] : periods.map((period) => period.name);
  if (typeof limit !== 'function') {
    const wrong = limitFault(limit, names);
    if (wrong !== undefined) fault(wrong);
    else if (valuesOf(limit as LimitValue).includes(0)) fault('a limit must be above 0');
    else if (typeof limit === 'object' && names.some((each) => !Object.hasOwn(limit as object, each))) {
      fault(`limit needs one for each of ${names.join(', ')}`);
    }
  }
  if (!['reject', 'partial', 'allow'].includes(overflow as string)) fault("overflow is 'reject', 'partial' or 'allow'");
  const levels = checkThresholds(thresholds);
  if (levels === undefined) fault(THRESHOLDS_RULE);
  return {
    name,
    periods,
    limit: limit as CheckedMetric['limit'],
    overflow: overflow as Overflow,
    thresholds: levels ?? [],
  };
}

export const THRESHOLDS_RULE = 'thresholds takes parts of the limit above 0, such as [0.8, 1], 16 at most';

/** @returns them in ascending order, undefined if they are none */
export function checkThresholds(given: unknown): readonly number[] | undefined {
  if (!Array.isArray(given) || given.length > 16) return undefined;
  const levels: readonly unknown[] = given;
  return levels.every(isThreshold) ? [...new Set(levels)].sort((a, b) => a - b) : undefined;
}

function isThreshold(level: unknown): level is number {
  // What Lua writes and reads back has 14 digits.
  return typeof level === 'number' && level > 0 && level <= 100 && Number(level.toPrecision(14)) === level;
}

/** What is wrong with a limit, of a metric with periods of these names. */
export function limitFault(limit: unknown, names: readonly string[]): string | undefined {
  if (isLimit(limit)) return undefined;
  if (typeof limit !== 'object' || limit === null || Array.isArray(limit)) return LIMIT_RULE;
  const unknown = Object.keys(limit).find((name) => !names.includes(name));
  if (unknown !== undefined) return `limit has ${unknown}, which is no period of it`;
  return Object.values(limit).every((each) => each === undefined || isLimit(each)) ? undefined : LIMIT_RULE;
}

const LIMIT_RULE = 'a limit is a whole number up to 2^53 - 1, or Infinity for none';

function isLimit(limit: unknown): limit is number {
  return limit === Infinity || (Number.isSafeInteger(limit) && (limit as number) >= 0);
}

function valuesOf(limit: LimitValue): readonly number[] {
  return typeof limit === 'number' ? [limit] : Object.values(limit);
}
