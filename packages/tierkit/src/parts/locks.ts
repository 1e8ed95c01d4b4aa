import { createLocks, type Locks, type LocksOptions } from '@tierkit/lock';
import type { TierkitOptions } from '../options.ts';
import type { DurableRedis } from './durable-redis.ts';

/** The options of the locks of a kit; where they are kept, unless it is a quorum, and `prefix`, logger and clock are the kit's. */
export type KitLocksOptions = Omit<LocksOptions, 'redis' | 'prefix' | 'logger' | 'clock' | 'telemetry'>;

/** The locks of a kit, made when they are first asked for, which end with it. */
export class KitLocks {
  readonly #durable: DurableRedis;
  readonly #options: TierkitOptions;
  #locks: Locks | undefined;

  constructor(durable: DurableRedis, options: TierkitOptions) {
    this.#durable = durable;
    this.#options = options;
  }

  /** @throws {TierkitError} `ERR_TIERKIT_OPTIONS`: the kit keeps nothing; `ERR_LOCK_OPTIONS`, `ERR_DURATION_INVALID` */
  get(): Locks {
    this.#locks ??= this.#open();
    return this.#locks;
  }

  async close(): Promise<void> {
    await this.#locks?.close();
  }

  #open(): Locks {
    const { prefix, logger, clock, telemetry, locks = {} } = this.#options;
    const where = locks.quorum === undefined ? { redis: this.#durable.get('a lock') } : {};
    return createLocks({ ...locks, ...where, prefix, logger, clock, telemetry });
  }
}
