import type { CheckedMetric } from '../definitions/checked-metrics.ts';
import { quotaError } from '../errors.ts';
import type { HistoryOptions } from '../quota.ts';
import type { QuotaStore } from '../stores/quota-store.ts';
import type { PeriodUsage } from '../usage.ts';
import type { RequestRows } from './request-rows.ts';

const MOST_PERIODS = 1_000;
/** With room for a year before and after it that a Date can still tell. */
const FARTHEST_MS = 8.6e15;

export interface HistoryRange {
  readonly fromMs: number;
  readonly toMs: number;
  readonly metrics: readonly CheckedMetric[];
}

/** @throws {TierkitError} `ERR_QUOTA_RANGE` */
export function checkRange(
  all: ReadonlyMap<string, CheckedMetric>,
  options: HistoryOptions<unknown>,
  nowMs: number,
): HistoryRange {
  const fromMs = Number(options.from);
  const toMs = Number(options.to ?? Math.max(nowMs, fromMs) + 1);
  if (!isInstant(fromMs) || !isInstant(toMs) || fromMs >= toMs) {
    throw quotaError('ERR_QUOTA_RANGE', 'from and to must be dates or milliseconds since 1970, from the earlier one');
  }
  const { metrics } = options;
  if (metrics !== undefined && !Array.isArray(metrics)) {
    throw quotaError('ERR_QUOTA_RANGE', 'metrics must be a list of names');
  }
  const unknown = metrics?.find((name) => !all.has(name));
  if (unknown !== undefined) throw quotaError('ERR_QUOTA_RANGE', `${unknown} is no metric`);
  const chosen = [...all.values()].filter(({ name }) => metrics === undefined || metrics.includes(name));
  return { fromMs, toMs, metrics: chosen };
}

/** What a subject used of each metric in each period of the range, within one deadline. @throws {TierkitError} `ERR_QUOTA_RANGE`, and as the store */
export async function readHistory(
  store: QuotaStore,
  rows: RequestRows,
  { fromMs, toMs, metrics, subject, plan }: HistoryRange & { readonly subject: string; readonly plan: unknown },
): Promise<object> {
  const since = store.moment;
  const found = new Map<string, Record<string, readonly PeriodUsage[]>>();
  for (const { name, periods } of metrics) {
    for (const period of periods) {
      const windows = rows.between(period, plan, { fromMs, toMs, most: MOST_PERIODS });
      const used = await store.history({ subject, period: period.name, windows, metrics: [name] }, since);
      const usages = windows.map(({ startMs, endMs }, i) => ({ startMs, endMs, used: used[i]?.[0] ?? 0 }));
      found.set(name, { ...found.get(name), [period.name]: usages });
    }
  }
  return Object.fromEntries(found);
}

function isInstant(ms: number): boolean {
  return Math.abs(ms) <= FARTHEST_MS;
}
