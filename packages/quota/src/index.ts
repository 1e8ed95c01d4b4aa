export { createQuota } from './create-quota.ts';
export type { QuotaErrorCode } from './errors.ts';
export type { CommitOptions, Hold, Reservation, Settlement, SettlementResult } from './hold.ts';
export type {
  Amounts,
  CounterMetric,
  GaugeMetric,
  LimitChanges,
  Limits,
  LimitValue,
  MetricDefinition,
  MetricDefinitions,
  PeriodNames,
  PlanOf,
} from './definitions/metrics.ts';
export type { QuotaBackend, QuotaOptions } from './definitions/options.ts';
export type { CalendarUnit } from './periods/calendar.ts';
export type { Anchor, Period, PeriodDefinition } from './periods/period.ts';
export type {
  AddOptions,
  HistoryOptions,
  Quota,
  ReserveOptions,
  ResetOptions,
  Subject,
  SubjectOptions,
} from './quota.ts';
export type { Overflow } from './stores/quota-store.ts';
export type {
  Charge,
  ChargeResult,
  LimitUsage,
  OnUnavailable,
  PeriodUsage,
  QuotaThreshold,
  Refusal,
  Uncounted,
  Usage,
  UsageHistory,
} from './usage.ts';
