import { expectTypeOf, it } from 'vitest';
import { createQuota, type LimitUsage, type Uncounted } from '../src/index.ts';

interface Plan {
  readonly budget: number;
  readonly zone: string;
}
const plans = async (_subject: string): Promise<Plan> => ({ budget: 5, zone: 'UTC' });

it('knows metrics, periods and plans', async () => {
  const quota = createQuota(
    {
      api_calls: { per: 'day', limit: 1000 },
      cost_micros: { per: ['day', 'month'], limit: (plan) => plan.budget },
      runs: { per: { name: 'billing', every: 'month', anchor: '2026-01-31' }, limit: { billing: 3 } },
      stored_bytes: { gauge: true, limit: 10 },
    },
    { redis: 'memory', plan: plans, timeZone: (plan) => plan.zone },
  );
  const charge = await quota.add('u', { api_calls: 1, cost_micros: 5 });
  expectTypeOf(charge.usage.cost_micros.month).toEqualTypeOf<LimitUsage>();
  expectTypeOf(charge.charged.api_calls).toEqualTypeOf<number>();
  // @ts-expect-error it was not charged
  void charge.usage.runs;
  // @ts-expect-error no such period
  void charge.usage.api_calls.month;
  // @ts-expect-error no such metric
  await quota.add('u', { calls: 1 });
  // @ts-expect-error no such period
  await quota.setLimits('u', { api_calls: { month: 1 } });
  await quota.setLimits('u', { cost_micros: { month: 1, day: null }, stored_bytes: null });
  const usage = await quota.usage('u', { plan: { budget: 1, zone: 'UTC' } });
  expectTypeOf(usage.stored_bytes.gauge).toEqualTypeOf<LimitUsage>();
  expectTypeOf(usage.runs.billing.used).toEqualTypeOf<number>();
  const history = await quota.usage('u', { from: new Date(0) });
  expectTypeOf(history.cost_micros.day[0]?.used).toEqualTypeOf<number | undefined>();
  // @ts-expect-error a gauge has no periods
  void history.stored_bytes;
  const { hold, allowed } = await quota.reserve('u', { cost_micros: 5 });
  if (hold !== undefined) await hold.commit({ cost_micros: 3 });
  expectTypeOf(allowed).toEqualTypeOf<boolean>();
});

it('has results without usage only where calls are allowed uncounted', async () => {
  const quota = createQuota({ runs: { per: 'day', limit: 1 } }, { redis: 'memory', onUnavailable: 'allow' });
  const charge = await quota.add('u', { runs: 1 });
  // @ts-expect-error it may not have been counted
  void charge.usage.runs;
  if (charge.source === 'none') expectTypeOf(charge).toEqualTypeOf<Uncounted>();
  else expectTypeOf(charge.usage.runs.day.used).toEqualTypeOf<number>();
});

it('knows the plan from what returns it, or from the limits that take it', async () => {
  const budgets = { cost_micros: { per: ['day', 'month'], limit: ({ budget }: Plan) => budget } } as const;
  const asked = createQuota(
    { api_calls: { per: 'day', limit: (plan) => plan.calls }, runs: { per: 'day', limit: 5 } },
    {
      redis: 'memory',
      plan: async (user: string) => ({ calls: user.length, zone: 'UTC' }),
      timeZone: (plan) => plan.zone,
    },
  );
  await asked.usage('u', { plan: { calls: 5, zone: 'UTC' } });
  // @ts-expect-error another plan
  await asked.usage('u', { plan: { budget: 5, zone: 'UTC' } });
  const told = createQuota(budgets, { redis: 'memory' });
  await told.add('u', { cost_micros: 5 }, { plan: { budget: 5, zone: 'UTC' } });
  // @ts-expect-error half a plan
  await told.add('u', { cost_micros: 5 }, { plan: { budget: 5 } });
  const both = createQuota(budgets, { redis: 'memory', plan: async (user) => ({ budget: user.length, zone: 'UTC' }) });
  await both.usage('u', { plan: { budget: 5, zone: 'UTC' } });
  // @ts-expect-error limits take another plan than there is
  createQuota(budgets, { redis: 'memory', plan: async () => ({ calls: 5 }) });
  const plain = createQuota({ runs: { per: 'day', limit: 1 } }, { redis: 'memory' });
  await plain.add('u', { runs: 1 }, { plan: 'any' });
});
