import { silentLogger, type Logger } from '@tierkit/core';
import type { RedisOptions } from '@tierkit/redis';
import { readSettings } from './environment-settings.ts';
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
    redis: backend === 'redis' ? connection(servers.cache, values, logger) : backend,
    ...(backend === 'redis' && servers.durable !== undefined
      ? { durableRedis: connection(servers.durable, values, logger) }
      : {}),
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

function connection(url: string | undefined, values: Values, logger: Logger): RedisOptions {
  const command = values.REDIS_SOCKET_TIMEOUT;
  return {
    url,
    maxConnections: values.REDIS_MAX_CONNECTIONS,
    commandTimeout: command,
    // A socket must not be given up while a command on it may still wait for its reply.
    socketTimeout: command === undefined ? undefined : Math.max(command, SOCKET_TIMEOUT_MS),
    connectTimeout: values.REDIS_SOCKET_CONNECT_TIMEOUT,
    healthCheckInterval: values.REDIS_HEALTH_CHECK_INTERVAL,
    logger,
  };
}
