import {
  createBus,
  fed,
  memoryBroker,
  type Bus,
  type BusOptions,
  type BusStream,
  type Channels,
  type FedChannel,
} from '@tierkit/bus';
import type { CacheChange, Tiers } from '@tierkit/cache';
import type { RedisConnection } from '@tierkit/redis';
import type { TierkitOptions } from '../options.ts';
import type { DurableRedis } from './durable-redis.ts';

/** The options of a bus; where it is, the logger and the clock are the kit's. `prefix` follows that of the kit. */
export type KitBusOptions = Omit<BusOptions, 'redis' | 'durableRedis' | 'logger' | 'clock' | 'telemetry'>;

/** What every bus of a kit has besides: what ends or changes in the cache, on whichever instance, heard for nothing. */
export interface SystemChannels {
  readonly 'system:cache_invalidation': FedChannel<CacheChange>;
}

/** The channels of a kit's bus. */
export type KitChannels<C extends Channels> = C & Omit<SystemChannels, keyof C>;

/** The buses of a kit, which end with it. */
export class Buses {
  readonly #redis: RedisConnection | undefined;
  readonly #durable: DurableRedis;
  readonly #options: TierkitOptions;
  readonly #system: SystemChannels;
  readonly #open = new Set<{ close(): Promise<void>; streams(): readonly BusStream[] }>();
  /** Connects the buses of a kit without Redis. */
  readonly #broker: ReturnType<typeof memoryBroker>;

  constructor(redis: RedisConnection | undefined, durable: DurableRedis, tiers: Tiers, options: TierkitOptions) {
    this.#redis = redis;
    this.#durable = durable;
    this.#options = options;
    this.#broker = memoryBroker(options.clock === undefined ? {} : { clock: options.clock });
    this.#system = { 'system:cache_invalidation': fed((emit) => tiers.inspection.onChange(emit)) };
  }

  create<const C extends Channels>(channels: C, options: KitBusOptions = {}): Bus<KitChannels<C>> {
    const { prefix = '', logger, clock, telemetry } = this.#options;
    const lasting = Object.values(channels).some((channel) => channel.kind === 'durable');
    const durable = lasting ? this.#durable.get('a durable channel') : undefined;
    const durableRedis = typeof durable === 'object' ? durable : undefined;
    const bus = createBus<KitChannels<C>>(
      { ...this.#system, ...channels },
      {
        ...options,
        prefix: `${prefix}${options.prefix ?? ''}`,
        // A kit in memory that has a durable Redis tells its ephemeral events there as well.
        redis: this.#redis ?? durableRedis ?? this.#broker,
        ...(durableRedis === undefined ? {} : { durableRedis }),
        ...(logger === undefined ? {} : { logger }),
        ...(clock === undefined ? {} : { clock }),
        ...(telemetry === undefined ? {} : { telemetry }),
      },
    );
    this.#open.add(bus);
    return bus;
  }

  list(): readonly BusStream[] {
    return [...this.#open].flatMap((bus) => bus.streams());
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open].map((bus) => bus.close()));
  }
}
