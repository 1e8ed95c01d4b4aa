import {
  createQuota,
  type LimitUsage,
  type MetricDefinitions,
  type OnUnavailable,
  type PlanOf,
  type Quota,
  type QuotaOptions,
} from '@tierkit/quota';
import type { TierkitOptions } from '../options.ts';
import type { DurableRedis } from './durable-redis.ts';

/** The options of a quota; where it is kept, the logger, the clock and the telemetry are the kit's. `prefix` follows that of the kit. */
export type KitQuotaOptions<Plan = unknown, Away extends OnUnavailable = OnUnavailable> = Omit<
  QuotaOptions<Plan, Away>,
  'redis' | 'logger' | 'clock' | 'telemetry'
>;

type UsageByName = Readonly<Record<string, Readonly<Record<string, LimitUsage>>>>;

/** A quota as operators see it. */
export interface NamedQuota {
  /** The prefix that it was given, without colons at its end; `quota` for none. */
  readonly name: string;
  readonly usage: (subject: string) => Promise<UsageByName>;
  /** Lets a subject begin its current periods anew. */
  readonly reset: (subject: string) => Promise<UsageByName>;
}

/** The quotas of a kit, which end with it. */
export class Quotas {
  readonly #durable: DurableRedis;
  readonly #options: TierkitOptions;
  readonly #open: { readonly named: NamedQuota; close(): Promise<void> }[] = [];

  constructor(durable: DurableRedis, options: TierkitOptions) {
    this.#durable = durable;
    this.#options = options;
  }

  create<const M extends MetricDefinitions<Plan>, Plan, Away extends OnUnavailable>(
    metrics: M,
    options: KitQuotaOptions<Plan, Away> = {},
  ): Quota<M, PlanOf<M, Plan>, Away> {
    const { prefix = '', logger, clock, telemetry } = this.#options;
    const quota = createQuota<M, Plan, Away>(metrics, {
      ...options,
      prefix: `${prefix}${options.prefix ?? ''}`,
      redis: this.#durable.get('a quota'),
      ...(logger === undefined ? {} : { logger }),
      ...(clock === undefined ? {} : { clock }),
      ...(telemetry === undefined ? {} : { telemetry }),
    });
    const name = options.prefix?.replace(/:+$/, '') ?? '';
    const named: NamedQuota = {
      name: name === '' ? 'quota' : name,
      usage: (subject) => quota.usage(subject),
      reset: (subject) => quota.reset(subject),
    };
    this.#open.push({ named, close: () => quota.close() });
    return quota;
  }

  async close(): Promise<void> {
    await Promise.all(this.#open.map((quota) => quota.close()));
  }

  list(): readonly NamedQuota[] {
    return this.#open.map(({ named }) => named);
  }
}
