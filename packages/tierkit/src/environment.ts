import { silentLogger, type Logger } from '@tierkit/core';
import type { RedisOptions } from '@tierkit/redis';
import type { EnvironmentServers } from './environment-server.ts';
import { readSettings, type EnvironmentSettings } from './environment-settings.ts';
import { reached } from './environment-topology.ts';
import type { Environment, Values } from './environment-variables.ts';
import { jsonLogger, levelLogger } from './level-logger.ts';
import type { TierkitOptions } from './options.ts';

export interface FromEnvironmentOptions {
  /** Is called from `LOG_LEVEL` on; without `LOG_LEVEL`, always. @default JSON lines on stderr from `warn` on */
  readonly logger?: Logger | undefined;
}

/**
 * The options that environment variables ask for. It is a pure function of the record: nothing else is read, at import
 * or later, and the options can be changed before they are used.
 *
 * @throws {TierkitError} `ERR_TIERKIT_ENVIRONMENT` naming every fault at once; passwords are masked.
 */
export function fromEnvironment(environment: Environment, options: FromEnvironmentOptions = {}): TierkitOptions {
  const { backend, servers, values, defaultTtlMs, tierTtlsMs } = readSettings(environment);
  const logger = loggerFor(values, options.logger);
  const tiers = Object.fromEntries([...tierTtlsMs].map(([name, ttl]) => [name, { ttl }]));
  return {
    ...servedBy(servers, backend, (where) => connection(where, values, logger), values),
    tiers,
    ...(defaultTtlMs === undefined ? {} : { defaultTtl: defaultTtlMs }),
    logger,
    ...(values.LOG_LEVEL === 'debug' ? { logging: { accesses: true } } : {}),
  };
}

function loggerFor({ LOG_LEVEL: level }: Values, given: Logger | undefined): Logger {
  if (level === 'silent') return silentLogger;
  if (given !== undefined) return level === undefined ? given : levelLogger(given, level);
  return levelLogger(jsonLogger(), level ?? 'warn');
}

const SOCKET_TIMEOUT_MS = 1_000;

/** A Cluster or Sentinels are what `REDIS_URL` names; a cache of its own is one server. */
function servedBy(
  { cache, durable }: EnvironmentServers,
  backend: EnvironmentSettings['backend'],
  connected: (where: RedisOptions) => RedisOptions,
  values: Values,
): Pick<TierkitOptions, 'redis' | 'durableRedis'> {
  if (backend !== 'redis' || cache === undefined) return { redis: backend };
  if (durable === undefined) return { redis: connected(reached(cache, values)) };
  return { redis: connected({ url: cache }), durableRedis: connected(reached(durable, values)) };
}

function connection(where: RedisOptions, values: Values, logger: Logger): RedisOptions {
  const command = values.REDIS_SOCKET_TIMEOUT;
  return {
    ...where,
    maxConnections: values.REDIS_MAX_CONNECTIONS,
    commandTimeout: command,
    // A socket must not be given up while a command on it may still wait for its reply.
    socketTimeout: command === undefined ? undefined : Math.max(command, SOCKET_TIMEOUT_MS),
    connectTimeout: values.REDIS_SOCKET_CONNECT_TIMEOUT,
    healthCheckInterval: values.REDIS_HEALTH_CHECK_INTERVAL,
    logger,
  };
}
