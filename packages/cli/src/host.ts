import type { AdminSource } from '@tierkit/admin';
import type { TierOptions } from '@tierkit/cache';
import type { Duration, Logger } from '@tierkit/core';
import type { RedisInput } from '@tierkit/redis';

/** The environment as options: `fromEnvironment` of tierkit returns them. */
export interface KitOptions {
  readonly redis: RedisInput;
  readonly durableRedis?: RedisInput | undefined;
  readonly prefix?: string | undefined;
  readonly tiers?: Readonly<Record<string, TierOptions>> | undefined;
  readonly defaultTtl?: Duration | undefined;
  readonly logger?: Logger | undefined;
}

/** A kit as the command uses it. */
export interface CliKit extends AdminSource {
  ready(timeout?: Duration): Promise<void>;
  close(): Promise<void>;
}

/** What the command is made of that this package does not have: the package `tierkit`, which has the bin, gives it. */
export interface CliHost {
  readonly version: string;
  fromEnvironment(
    environment: Readonly<Record<string, string | undefined>>,
    options: { readonly logger?: Logger },
  ): KitOptions;
  createTierkit(options: KitOptions): CliKit;
}
