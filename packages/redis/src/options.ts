import type { ConnectionOptions as TlsOptions } from 'node:tls';
import type { Duration, Logger, Telemetry } from '@tierkit/core';
import type { Cluster, Redis } from 'ioredis';

export interface RedisAddress {
  readonly host: string;
  /** @default 6379, for a Sentinel 26379 */
  readonly port?: number | undefined;
}

/** An address in full. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** Maps the addresses that a Cluster or a Sentinel announces to those reachable from here, as `host:port`. */
export type NatMap = Readonly<Record<string, Endpoint>>;

export interface BreakerSettings {
  /** Failures in a row that open the breaker; on a Cluster only if nothing succeeds for a `commandTimeout`. @default 5 */
  readonly failures?: number | undefined;
  /** How long it stays open before a probe finds out whether Redis is back. @default 1 second */
  readonly resetAfter?: Duration | undefined;
}

/**
 * How to reach Redis: one of `url`, `host`, `cluster`, `sentinels` or `client`.
 *
 * An option that is given wins over the same part of the URL; one that is `undefined` counts as absent.
 */
export interface RedisOptions {
  /** `redis://user:password@host:port/db`, or `rediss://` for TLS with verification. */
  readonly url?: string | undefined;
  /** @default 'localhost' when only a port is given */
  readonly host?: string | undefined;
  /** @default 6379 */
  readonly port?: number | undefined;
  /** Some nodes of a Redis Cluster: `host:port`, URLs or addresses; the others are discovered. */
  readonly cluster?: readonly (string | RedisAddress)[] | undefined;
  /** The Sentinels that know the master called `name`. */
  readonly sentinels?: readonly (string | RedisAddress)[] | undefined;
  /** An ioredis client of the user's own, for giving it other limits than the defaults; it has its own connection options. */
  readonly client?: Redis | Cluster | undefined;
  /** The master's name at the Sentinels. */
  readonly name?: string | undefined;
  /** Database; a Cluster has only 0. @default 0 */
  readonly db?: number | undefined;
  /** ACL user. @default the server's `default` user */
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly sentinelUsername?: string | undefined;
  readonly sentinelPassword?: string | undefined;
  /** `true` verifies against the system's authorities; an object is passed to `node:tls`. @default by the URL */
  readonly tls?: boolean | TlsOptions | undefined;
  /** TLS to the Sentinels themselves. @default no TLS */
  readonly sentinelTls?: boolean | TlsOptions | undefined;
  readonly natMap?: NatMap | undefined;
  /** Connections that commands take in turn; one, multiplexed, is the fastest for most loads. @default 1 */
  readonly maxConnections?: number | undefined;
  /** How long a command may wait for its reply. @default 300 milliseconds */
  readonly commandTimeout?: Duration | undefined;
  /** How long a connection attempt may take. @default 1 second */
  readonly connectTimeout?: Duration | undefined;
  /** How long a connection with commands outstanding may be silent before it is replaced. @default 1 second */
  readonly socketTimeout?: Duration | undefined;
  /** How often an idle connection is checked with a PING. @default 10 seconds */
  readonly healthCheckInterval?: Duration | undefined;
  readonly breaker?: BreakerSettings | undefined;
  /** Is told of lost and restored connections, without passwords. @default silent */
  readonly logger?: Logger | undefined;
  /** Is told how the connection is and how long commands take: one of `@tierkit/telemetry`. @default nobody */
  readonly telemetry?: Telemetry | readonly Telemetry[] | undefined;
  /** The connection's name in CLIENT LIST. @default none */
  readonly clientName?: string | undefined;
}
