import { limitFault, type CheckedMetric } from '../definitions/checked-metrics.ts';
import type { CheckedOptions } from '../definitions/check-options.ts';
import { quotaError } from '../errors.ts';
import type { LimitValue } from '../definitions/metrics.ts';
import type { Anchor, CheckedPeriod } from '../periods/period.ts';
import { Windows, type Window } from '../periods/windows.ts';
import type { HeldRow, Row } from '../stores/quota-store.ts';

/** Limits that a call was given, by metric. */
export type GivenLimits = Readonly<Record<string, number | Readonly<Record<string, number | undefined>> | undefined>>;

/** Makes the rows of a request: which windows are current for a subject, and what its limits are. */
export class RequestRows {
  readonly #options: CheckedOptions;
  readonly #windows = new Windows();
  /** Whether anything depends on the plan. */
  readonly needsPlan: boolean;

  constructor(options: CheckedOptions) {
    this.#options = options;
    this.needsPlan =
      typeof options.timeZone === 'function' ||
      [...options.metrics.values()].some(
        ({ limit, periods }) =>
          typeof limit === 'function' || periods.some(({ anchor }) => typeof anchor === 'function'),
      );
  }

  /** @throws {TierkitError} `ERR_QUOTA_PLAN`, `ERR_QUOTA_PERIOD`, `ERR_QUOTA_LIMIT` */
  current(metric: CheckedMetric, instantMs: number, plan: unknown, limits: GivenLimits | undefined): readonly Row[] {
    const { name, periods, thresholds } = metric;
    const planned = this.#planned(metric, plan);
    const row = (period: string, window: Window | undefined): Row => {
      const given = limitOf(own(limits, name), period);
      const limit = given ?? limitOf(planned, period);
      if (limit === undefined) throw quotaError('ERR_QUOTA_LIMIT', `${name}: the plan has no limit per ${period}`);
      return { period, window, limit, fixed: given !== undefined, thresholds };
    };
    if (periods.length === 0) return [row('gauge', undefined)];
    const zone = periods.length === 0 ? 'UTC' : this.#zone(plan);
    return periods.map((period) =>
      row(period.name, this.#windows.at(period, this.#anchor(period, plan), zone, instantMs)),
    );
  }

  /** The rows of what a hold takes of a metric; a period that the metric no longer has, has no limit. */
  held(
    metric: CheckedMetric,
    held: readonly HeldRow[],
    plan: unknown,
    limits: GivenLimits | undefined,
  ): readonly Row[] {
    const planned = this.#planned(metric, plan);
    return held.map(({ period, window }) => {
      const given = limitOf(own(limits, metric.name), period);
      const limit = given ?? limitOf(planned, period) ?? Infinity;
      return { period, window, limit, fixed: given !== undefined, thresholds: metric.thresholds };
    });
  }

  /** The windows of a metric's period in a range. */
  between(
    period: CheckedPeriod,
    plan: unknown,
    range: { readonly fromMs: number; readonly toMs: number; readonly most: number },
  ): readonly Window[] {
    return this.#windows.between(period, this.#anchor(period, plan), this.#zone(plan), range);
  }

  #planned({ name, limit, periods }: CheckedMetric, plan: unknown): LimitValue {
    if (typeof limit !== 'function') return limit;
    const value = limit(required(plan, `the limit of ${name}`));
    const fault = limitFault(value, periods.length === 0 ? ['gauge'] : periods.map((period) => period.name));
    if (fault !== undefined) throw quotaError('ERR_QUOTA_LIMIT', `${name}: of the plan, ${fault}`);
    return value;
  }

  #zone(plan: unknown): string {
    const { timeZone } = this.#options;
    return typeof timeZone === 'function' ? timeZone(required(plan, 'timeZone')) : timeZone;
  }

  #anchor({ name, anchor }: CheckedPeriod, plan: unknown): Anchor {
    return typeof anchor === 'function' ? anchor(required(plan, `the anchor of ${name}`)) : anchor;
  }
}

/** A metric may be called `constructor`. */
function own(limits: GivenLimits | undefined, name: string): GivenLimits[string] {
  return limits !== undefined && Object.hasOwn(limits, name) ? limits[name] : undefined;
}

function limitOf(
  limits: number | Readonly<Record<string, number | undefined>> | undefined,
  period: string,
): number | undefined {
  if (typeof limits !== 'object') return limits;
  return Object.hasOwn(limits, period) ? limits[period] : undefined;
}

function required(plan: unknown, what: string): unknown {
  if (plan !== undefined && plan !== null) return plan;
  throw quotaError('ERR_QUOTA_PLAN', `${what} depends on the plan: give the call one, or the quota a plan function`);
}
