import { createQuota } from '@tierkit/quota';

interface Plan {
  readonly dailyCalls: number;
  readonly budget: number;
  readonly timeZone: string;
}

const plans: Readonly<Record<string, Plan>> = {
  ann: { dailyCalls: 3, budget: 5_000_000, timeZone: 'Europe/Berlin' },
  bo: { dailyCalls: 1_000, budget: 50_000_000, timeZone: 'America/New_York' },
};

const quota = createQuota(
  {
    api_calls: { per: 'day', limit: (plan) => plan.dailyCalls },
    cost_micros: { per: ['day', 'month'], limit: (plan) => ({ day: plan.budget / 5, month: plan.budget }) },
    stored_bytes: { gauge: true, limit: 1_000_000 },
  },
  {
    redis: process.env['REDIS_URL'] ?? 'memory',
    prefix: `example:${process.pid}:`,
    plan: (user: string): Plan => plans[user] ?? { dailyCalls: 1, budget: 0, timeZone: 'UTC' },
    timeZone: (plan) => plan.timeZone,
    onThreshold: ({ subject, metric, period, threshold }) =>
      console.log(`${subject} has used ${threshold * 100} % of ${metric} per ${period}`),
  },
);
await quota.ready();

for (const request of ['r1', 'r2', 'r2', 'r3', 'r4']) {
  const charge = await quota.add('ann', { api_calls: 1, cost_micros: 420 }, { id: request });
  const { used, limit } = charge.usage.api_calls.day;
  const outcome = charge.repeated ? 'was counted before' : charge.allowed ? 'is counted' : 'is refused';
  console.log(`${request} ${outcome}: ${used} of ${limit}`);
}

await quota.setLimits('ann', { api_calls: 10 });
console.log('with a limit of her own:', (await quota.add('ann', { api_calls: 1 })).allowed);

await quota.add('ann', { stored_bytes: 600_000 });
const { refusal } = await quota.add('ann', { stored_bytes: 600_000 });
console.log('no room for', refusal?.requested, 'bytes, for', refusal?.remaining);
await quota.add('ann', { stored_bytes: -700_000 });
console.log('stored:', (await quota.usage('ann')).stored_bytes.gauge.used);

const today = new Date();
const { cost_micros: cost } = await quota.usage('ann', { from: today, metrics: ['cost_micros'] });
console.log('cost:', cost.day[0]?.used, 'today,', cost.month[0]?.used, 'this month');
await quota.close();
