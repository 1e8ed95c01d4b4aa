import type { Cluster, Redis } from 'ioredis';
import { TierkitError } from '@tierkit/core';
import { adoptClient, type AdoptedClient } from './adopt-client.ts';
import { type RedisClient } from './client.ts';
import type { RedisConnection } from './connection.ts';
import { IoredisConnection } from './ioredis-connection.ts';
import { openClient } from './open-client.ts';
import type { RedisOptions } from './options.ts';
import { resolveOptions, type ResolvedOptions } from './resolve-options.ts';

/** A URL, options, or an ioredis client of the user's own, which keeps its options and stays open. */
export type RedisInput = string | RedisOptions | Redis | Cluster;

/**
 * A connection to Redis that connects in the background; it returns at once and does not throw when Redis is away.
 *
 * @throws {TierkitError} `ERR_REDIS_OPTIONS`: the input is wrong; the message names every fault and no secret.
 */
export function createRedis(input: RedisInput): RedisConnection {
  const { options, adopted } = resolved(input);
  if (adopted !== undefined) return overClient(adopted, options);
  return new IoredisConnection({
    options,
    owned: true,
    topology: options.topology,
    db: options.db,
    opened: Array.from({ length: options.maxConnections }, () => openClient(options)),
    redact: options.redact,
    deadlineMs: options.commandTimeoutMs,
  });
}

/**
 * An input with a logger and telemetry where it has none of its own, for a part that makes a connection itself.
 *
 * @throws {TierkitError} `ERR_REDIS_OPTIONS` as `createRedis`
 */
export function redisInput(
  input: RedisInput,
  { logger, telemetry }: Pick<RedisOptions, 'logger' | 'telemetry'>,
): RedisInput {
  const ours = { ...(logger && { logger }), ...(telemetry && { telemetry }) };
  if (Object.keys(ours).length === 0 || typeof input !== 'object' || input === null) {
    return typeof input === 'string' && Object.keys(ours).length > 0 ? { url: input, ...ours } : input;
  }
  return isClient(input) ? { client: input, ...ours } : { ...ours, ...input };
}

/**
 * Makes sure that {@link createRedis} would take the input, and connects to nothing.
 *
 * @throws {TierkitError} `ERR_REDIS_OPTIONS` as `createRedis`
 */
export function checkRedis(input: RedisInput): void {
  resolved(input);
}

interface Adopted extends AdoptedClient {
  readonly client: RedisClient;
}

function resolved(input: RedisInput): { readonly options: ResolvedOptions; readonly adopted?: Adopted } {
  if (isClient(input)) return resolved({ client: input });
  if (typeof input !== 'string' && (typeof input !== 'object' || input === null)) {
    throw new TierkitError(
      'ERR_REDIS_OPTIONS',
      'Redis options: a URL, an options object or an ioredis client is needed',
    );
  }
  const options = resolveOptions(input);
  const client = typeof input === 'string' ? undefined : input.client;
  if (client === undefined) return { options };
  if (!isClient(client)) throw new TierkitError('ERR_REDIS_OPTIONS', 'Redis options: client must be an ioredis client');
  return { options, adopted: { client, ...adoptClient(client) } };
}

function overClient(
  { client, topology, db, commandTimeoutMs, redact }: Adopted,
  options: ResolvedOptions,
): RedisConnection {
  if (client.status === 'wait') client.connect().catch(() => undefined);
  return new IoredisConnection({
    options,
    owned: false,
    topology,
    db,
    opened: [{ client, release: async () => {} }],
    redact,
    deadlineMs: Math.min(options.commandTimeoutMs, commandTimeoutMs ?? Infinity),
  });
}

// By shape, as a client of another copy of ioredis is no instance of ours.
function isClient(input: unknown): input is RedisClient {
  return (
    typeof input === 'object' && input !== null && 'sendCommand' in input && typeof input.sendCommand === 'function'
  );
}
