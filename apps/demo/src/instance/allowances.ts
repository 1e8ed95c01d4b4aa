import type { createTierkit } from 'tierkit';

/** What a user has paid for. */
interface Plan {
  readonly apiCalls: number;
  readonly analysisRuns: number;
  readonly storageBytes: number;
  /** In millionths, by month; a quarter of it by day. */
  readonly budgetMicros: number;
}

export const PLANS = {
  free: { apiCalls: 100, analysisRuns: 40, storageBytes: 16 * 1024 ** 2, budgetMicros: 8_000_000 },
  pro: { apiCalls: 10_000, analysisRuns: 5_000, storageBytes: 1024 ** 3, budgetMicros: 400_000_000 },
} as const satisfies Readonly<Record<string, Plan>>;

/** Who has which plan. */
export const PLAN_OF: Readonly<Record<string, keyof typeof PLANS>> = { ann: 'free', bo: 'pro' };

/** What an analysis costs: so much, and so much a byte. */
const RUN_MICROS = 500;
const BYTE_MICROS = 2;

/** What is left to a user of the day and the month. */
export interface Account {
  readonly apiCalls: number;
  readonly analysisRuns: number;
  readonly storageBytes: number;
  readonly costToday: number;
  readonly costThisMonth: number;
}

/** What users may ask of the service. The only file that uses quotas. */
export class Allowances {
  readonly #quota;
  /** Thresholds that charges of this instance have reached. */
  readonly warnings: string[] = [];

  /** @param warn tells others of a threshold that was reached here */
  constructor(
    kit: ReturnType<typeof createTierkit>,
    warn: (user: string, threshold: number, text: string) => Promise<void>,
  ) {
    this.#quota = kit.quota(
      {
        api_calls: { per: 'day', limit: (plan) => plan.apiCalls },
        analysis_runs: { per: 'day', limit: (plan) => plan.analysisRuns },
        storage_bytes: { per: 'day', limit: (plan) => plan.storageBytes },
        cost_micros: {
          per: ['day', 'month'],
          limit: ({ budgetMicros: month }) => ({ day: month / 4, month }),
        },
      },
      {
        plan: (user: string): Plan => PLANS[PLAN_OF[user] ?? 'free'],
        onThreshold: ({ subject, metric, period, threshold }) => {
          const warning = `${subject}: ${threshold * 100} % of ${metric} per ${period}`;
          this.warnings.push(warning);
          return warn(subject, threshold, warning);
        },
      },
    );
  }

  /** Charges an analysis to a user, once for each request; resolves to what refused it, or how it counts. */
  async charge(user: string, request: string, bytes: number): Promise<string> {
    const amounts = {
      api_calls: 1,
      analysis_runs: 1,
      storage_bytes: bytes,
      cost_micros: RUN_MICROS + BYTE_MICROS * bytes,
    };
    const charge = await this.#quota.add(user, amounts, { id: request });
    if (charge.refusal !== undefined) return `${charge.refusal.metric} per ${charge.refusal.period}`;
    return charge.repeated ? 'repeated' : 'counted';
  }

  async account(user: string): Promise<Account> {
    const usage = await this.#quota.usage(user);
    return {
      apiCalls: usage.api_calls.day.used,
      analysisRuns: usage.analysis_runs.day.used,
      storageBytes: usage.storage_bytes.day.used,
      costToday: usage.cost_micros.day.used,
      costThisMonth: usage.cost_micros.month.used,
    };
  }
}
