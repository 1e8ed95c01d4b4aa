import type { Decision, Item, ItemState, RowState } from '../stores/quota-store.ts';
import type { LimitUsage, QuotaThreshold, Refusal } from '../usage.ts';

/** What the parts of a charge are before they have the types of its metrics. */
export interface ChargeReport {
  readonly charged: Readonly<Record<string, number>>;
  readonly usage: Readonly<Record<string, Readonly<Record<string, LimitUsage>>>>;
  readonly refusal?: Refusal;
  readonly crossed: readonly QuotaThreshold[];
}

/** What was asked for, and what a hold already takes of it. */
export type Asked = Pick<Item, 'metric' | 'amount' | 'overflow'> & { readonly own?: number };

/** What a decision means to the caller. */
export function reportOf(subject: string, decision: Decision, asked: readonly Asked[]): ChargeReport {
  const { items, nowMs, status } = decision;
  return {
    charged: Object.fromEntries(items.map(({ metric, granted }) => [metric, granted])),
    usage: Object.fromEntries(
      items.map(({ metric, rows }) => [
        metric,
        Object.fromEntries(rows.map((row) => [row.period, usageOf(row, nowMs)])),
      ]),
    ),
    ...(status === 'refused' ? refusalOf(decision, asked) : {}),
    crossed: crossedOf(subject, decision),
  };
}

function usageOf({ used, held, limit, window }: RowState, nowMs: number): LimitUsage {
  const startMs = window?.startMs ?? 0;
  const endMs = window?.endMs ?? Infinity;
  const remaining = Math.max(0, limit - used - held);
  return { used, held, limit, remaining, startMs, endMs, resetMs: Math.max(0, endMs - nowMs) };
}

/** The limit that refuses for the longest time. */
function refusalOf({ items, nowMs }: Decision, asked: readonly Asked[]): { readonly refusal: Refusal } | undefined {
  const refusals = asked.flatMap((item) => {
    const rows = items.find(({ metric }) => metric === item.metric)?.rows ?? [];
    return rows.filter((row) => refuses(item, row)).map((row) => refusal(item, row, nowMs));
  });
  refusals.sort((a, b) => b.retryAfterMs - a.retryAfterMs);
  const [longest] = refusals;
  return longest === undefined ? undefined : { refusal: longest };
}

function refuses({ overflow, amount, own = 0 }: Asked, { used, held, limit }: RowState): boolean {
  const most = Number.MAX_SAFE_INTEGER;
  const room = (overflow === 'allow' ? most : Math.min(most, limit)) - (used + held - own);
  return amount > own && (overflow === 'partial' ? room <= 0 : amount > room);
}

function refusal({ metric, amount, overflow }: Asked, row: RowState, nowMs: number): Refusal {
  const { limit, remaining, resetMs } = usageOf(row, nowMs);
  const never = overflow === 'partial' ? limit === 0 : amount > limit;
  return {
    metric,
    period: row.period,
    requested: amount,
    limit,
    remaining,
    retryAfterMs: never ? Infinity : resetMs,
    never,
  };
}

function crossedOf(subject: string, { items, crossings }: Decision): QuotaThreshold[] {
  return crossings.map(({ metric, period, threshold }) => {
    const row = rowOf(items, metric, period);
    return {
      subject,
      metric,
      period,
      threshold,
      used: row?.used ?? 0,
      limit: row?.limit ?? Infinity,
      endMs: row?.window?.endMs ?? Infinity,
    };
  });
}

function rowOf(items: readonly ItemState[], metric: string, period: string): RowState | undefined {
  return items.find((item) => item.metric === metric)?.rows.find((row) => row.period === period);
}
