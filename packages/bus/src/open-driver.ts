import type { Duration } from '@tierkit/core';
import { createRedis, redisInput, type RedisConnection, type RedisInput } from '@tierkit/redis';
import type { BusDriver } from './drivers/driver.ts';
import { MemoryBroker } from './drivers/memory-broker.ts';
import { MemoryDriver } from './drivers/memory-driver.ts';
import { busNames, type BusNames } from './drivers/names.ts';
import { RedisDriver } from './drivers/redis-driver.ts';
import type { BusOptions, BusSettings } from './options.ts';

export interface OpenedDriver {
  readonly driver: BusDriver;
  readonly names: BusNames;
  ready(timeout?: Duration): Promise<void>;
  close(): Promise<void>;
}

/** The driver for a backend; connections that it makes end with it. */
export function openDriver({ redis, durableRedis }: BusOptions, settings: BusSettings): OpenedDriver {
  const { prefix, sharded, feedTimeoutMs, logger, clock } = settings;
  if (redis === 'memory' || redis instanceof MemoryBroker) {
    const driver = new MemoryDriver(redis === 'memory' ? new MemoryBroker(clock) : redis);
    return { driver, names: busNames(prefix, 0), ready: async () => {}, close: () => driver.close() };
  }
  const own: RedisConnection[] = [];
  const connected = (input: RedisInput | RedisConnection): RedisConnection => {
    if (isConnection(input)) return input;
    const made = createRedis(redisInput(input, { telemetry: settings.telemetry }));
    own.push(made);
    return made;
  };
  const connection = connected(redis);
  let durable: RedisConnection;
  try {
    durable = durableRedis === undefined ? connection : connected(durableRedis);
  } catch (error) {
    for (const made of own) void made.close();
    throw error;
  }
  const driver = new RedisDriver({ redis: connection, durable, sharded, prefix, feedTimeoutMs, logger, clock });
  return {
    driver,
    names: busNames(prefix, connection.db),
    ready: async (timeout) => {
      await Promise.all([connection.ready(timeout), durable.ready(timeout)]);
    },
    async close() {
      await driver.close();
      await Promise.all(own.map((made) => made.close()));
    },
  };
}

const isConnection = (input: RedisInput | RedisConnection): input is RedisConnection =>
  typeof input === 'object' && input !== null && 'execute' in input && 'masters' in input;
