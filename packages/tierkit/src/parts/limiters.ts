import {
  createGuard,
  createLimiter,
  type Guard,
  type GuardOptions,
  type Limiter,
  type LimiterOptions,
  type Policy,
} from '@tierkit/rate-limit';
import { createSubscriber, type RedisConnection, type Subscriber } from '@tierkit/redis';
import type { TierkitOptions } from '../options.ts';

/** The options of a limiter; where it counts, the logger, the clock and the telemetry are the kit's. `prefix` follows that of the kit. */
export type KitLimiterOptions<Name extends string = string, Plan extends string = string> = Omit<
  LimiterOptions<Name, Plan>,
  'redis' | 'subscriber' | 'logger' | 'clock' | 'telemetry'
>;

/** The options of a guard, likewise. */
export type KitGuardOptions = Omit<GuardOptions, 'redis' | 'logger' | 'clock'>;

/**
 * The limiters and guards of a kit, which end with it. They share one subscriber, which connects when somebody is first
 * denied. A kit that keeps nothing counts in this process, as one in memory does.
 */
export class Limiters {
  readonly #redis: RedisConnection | undefined;
  readonly #options: TierkitOptions;
  readonly #limiters: Limiter[] = [];
  readonly #guards: Guard[] = [];
  #subscriber: Subscriber | undefined;

  constructor(redis: RedisConnection | undefined, options: TierkitOptions) {
    this.#redis = redis;
    this.#options = options;
  }

  create<const Name extends string, const Plan extends string>(
    name: string,
    policies: readonly Policy<Name>[],
    options: KitLimiterOptions<Name, Plan> = {},
  ): Limiter<Name, Plan> {
    const { telemetry } = this.#options;
    const limiter = createLimiter<Name, Plan>(name, policies, {
      ...options,
      ...(telemetry === undefined ? {} : { telemetry }),
      ...this.#shared(options.prefix),
      ...(this.#redis === undefined ? {} : { subscriber: this.#subscribe(this.#redis) }),
    });
    this.#limiters.push(limiter);
    return limiter;
  }

  guard(name: string, options: KitGuardOptions = {}): Guard {
    const guard = createGuard(name, { ...options, ...this.#shared(options.prefix) });
    this.#guards.push(guard);
    return guard;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#limiters, ...this.#guards].map((part) => part.close()));
    this.#subscriber?.close();
  }

  list(): readonly Limiter[] {
    return this.#limiters;
  }

  #shared(prefix: string | undefined): Pick<GuardOptions, 'redis' | 'prefix' | 'logger' | 'clock'> {
    const { prefix: before = '', logger, clock } = this.#options;
    return {
      redis: this.#redis ?? 'memory',
      prefix: `${before}${prefix ?? ''}`,
      ...(logger === undefined ? {} : { logger }),
      ...(clock === undefined ? {} : { clock }),
    };
  }

  #subscribe(redis: RedisConnection): Subscriber {
    const { prefix = '', logger, clock } = this.#options;
    return (this.#subscriber ??= createSubscriber(redis, {
      prefix,
      name: "limiters' subscriber",
      ...(logger === undefined ? {} : { logger }),
      ...(clock === undefined ? {} : { clock }),
    }));
  }
}
