import type { Period, PeriodDefinition } from '../periods/period.ts';
import type { Overflow } from '../stores/quota-store.ts';

/** One limit for every period, or one for each period by its name; `Infinity` for none. */
export type LimitValue = number | Readonly<Record<string, number>>;

interface MetricBase<Plan> {
  /** The limit, or how it follows from a subject's plan. */
  readonly limit: LimitValue | ((plan: Plan) => LimitValue);
  /**
   * What happens to an amount that does not fit: `'reject'` counts nothing, of this metric or any other of the call;
   * `'partial'` counts what fits, if anything does; `'allow'` counts all of it. @default 'reject'
   */
  readonly overflow?: Overflow;
  /** Parts of the limit at which `onThreshold` is called. @default those of the quota, [0.8, 1] */
  readonly thresholds?: readonly number[];
}

/** What is counted anew in every period. */
export interface CounterMetric<Plan = never> extends MetricBase<Plan> {
  readonly per: Period<Plan> | readonly Period<Plan>[];
  readonly gauge?: never;
}

/** What is held and given back, such as bytes that are stored. */
export interface GaugeMetric<Plan = never> extends MetricBase<Plan> {
  readonly gauge: true;
  readonly per?: never;
}

export type MetricDefinition<Plan = never> = CounterMetric<Plan> | GaugeMetric<Plan>;

/** Metrics by name: letters, digits and `_ . -`, 64 at most. Amounts are whole numbers, for money of micro-units. */
export type MetricDefinitions<Plan = never> = Readonly<Record<string, MetricDefinition<Plan>>>;

type LimitPlan<D> = D extends { readonly limit: (plan: infer Plan) => unknown } ? (plan: Plan) => void : never;

/** The plan of a quota: what its `plan` returns, else what the functions of its metrics' limits say that they take. */
export type PlanOf<M, Plan> = [Plan] extends [never]
  ? [LimitPlan<M[keyof M]>] extends [never]
    ? unknown
    : LimitPlan<M[keyof M]> extends (plan: infer Taken) => void
      ? Taken
      : unknown
  : Plan;

type NameOf<P> = P extends string ? P : P extends PeriodDefinition ? P['name'] : never;

/** The names of the periods of a metric, `'gauge'` for a gauge. */
export type PeriodNames<D> = D extends { readonly gauge: true }
  ? 'gauge'
  : D extends { readonly per: infer P }
    ? NameOf<P extends readonly (infer Each)[] ? Each : P>
    : never;

export type Amounts<M> = { readonly [Name in keyof M]?: number };

/** Limits of some metrics, for every period or by its name. */
export type Limits<M> = {
  readonly [Name in keyof M]?: number | { readonly [P in PeriodNames<M[Name]>]?: number };
};

/** As `Limits`; null removes the stored one, so that the plan's holds again. */
export type LimitChanges<M> = {
  readonly [Name in keyof M]?: number | null | { readonly [P in PeriodNames<M[Name]>]?: number | null };
};
