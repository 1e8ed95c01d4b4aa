import { observeOrUndo, safeLogger, systemClock } from '@tierkit/core';
import { createRedis, redisInput, type RedisConnection, type RedisInput } from '@tierkit/redis';
import { locksSource } from './locks-source.ts';
import type { Locks } from './locks.ts';
import { checkLocksOptions, type LocksOptions } from './options.ts';
import { QuorumStore } from './quorum/quorum-store.ts';
import type { LockStore } from './stores/lock-store.ts';
import { MemoryStore } from './stores/memory-store.ts';
import { RedisStore } from './stores/redis-store.ts';
import { processName, StoreLocks } from './store-locks.ts';

/**
 * Locks on one Redis (standalone, Sentinel or Cluster), on a quorum of independent ones, or in memory. It returns at once and
 * connects in the background.
 *
 * @throws {TierkitError} `ERR_LOCK_OPTIONS` naming every fault, `ERR_REDIS_OPTIONS` or `ERR_DURATION_INVALID`
 */
export function createLocks(options: LocksOptions): Locks {
  const defaults = checkLocksOptions(options);
  const { prefix = '', instance = '', clock = systemClock, redis: where, quorum } = options;
  const logger = safeLogger(options.logger);
  const process = processName(instance);
  let stopObserving: (() => void) | undefined;
  const opened: RedisConnection[] = [];
  const connect = (input: RedisInput | RedisConnection): RedisConnection => {
    if (isConnection(input)) return input;
    const connection = createRedis(redisInput(input, { telemetry: options.telemetry }));
    opened.push(connection);
    return connection;
  };
  const connectAll = (inputs: readonly (RedisInput | RedisConnection)[]): RedisConnection[] => {
    try {
      return inputs.map(connect);
    } catch (error) {
      for (const connection of opened) void connection.close();
      throw error;
    }
  };
  const common = { prefix, process, logger, clock };
  const open = (): LockStore => {
    if (quorum !== undefined) return new QuorumStore(connectAll(quorum), common);
    if (where === 'memory') return new MemoryStore(clock);
    return new RedisStore(connect(where as RedisInput | RedisConnection), common);
  };
  const locks = new StoreLocks({
    store: open(),
    process,
    defaults,
    clock,
    logger,
    closeConnections: async () => {
      stopObserving?.();
      await Promise.all(opened.map((connection) => connection.close()));
    },
  });
  stopObserving = observeOrUndo(
    options.telemetry,
    locksSource(() => locks.stats()),
    () => locks.close(),
  );
  return locks;
}

function isConnection(input: RedisInput | RedisConnection): input is RedisConnection {
  return typeof input === 'object' && input !== null && 'execute' in input && 'onStateChange' in input;
}
