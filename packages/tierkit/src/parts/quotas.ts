import { createQuota, type MetricDefinitions, type OnUnavailable, type Quota, type QuotaOptions } from '@tierkit/quota';
import type { TierkitOptions } from '../options.ts';
import type { DurableRedis } from './durable-redis.ts';

/** The options of a quota; where it is kept, the logger and the clock are the kit's. `prefix` follows that of the kit. */
export type KitQuotaOptions<Plan = unknown, Away extends OnUnavailable = OnUnavailable> = Omit<
  QuotaOptions<Plan, Away>,
  'redis' | 'logger' | 'clock'
>;

/** The quotas of a kit, which end with it. */
export class Quotas {
  readonly #durable: DurableRedis;
  readonly #options: TierkitOptions;
  readonly #open = new Set<{ close(): Promise<void> }>();

  constructor(durable: DurableRedis, options: TierkitOptions) {
    this.#durable = durable;
    this.#options = options;
  }

  create<const M extends MetricDefinitions<Plan>, Plan, Away extends OnUnavailable>(
    metrics: M,
    options: KitQuotaOptions<Plan, Away> = {},
  ): Quota<M, Plan, Away> {
    const { prefix = '', logger, clock } = this.#options;
    const quota = createQuota<M, Plan, Away>(metrics, {
      ...options,
      prefix: `${prefix}${options.prefix ?? ''}`,
      redis: this.#durable.get('a quota'),
      ...(logger === undefined ? {} : { logger }),
      ...(clock === undefined ? {} : { clock }),
    });
    this.#open.add(quota);
    return quota;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open].map((quota) => quota.close()));
  }
}
