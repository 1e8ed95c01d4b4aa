import type { ConnectionOptions as TlsOptions } from 'node:tls';
import { combineTelemetry, safeLogger, type Logger, type Telemetry } from '@tierkit/core';
import { parseAddress, parseRedisUrl, type UrlParts } from './addresses.ts';
import { OptionFaults } from './option-faults.ts';
import type { Endpoint, NatMap, RedisOptions } from './options.ts';
import { redactor, type Redact } from './redact.ts';

export type Topology = 'standalone' | 'sentinel' | 'cluster';

type Addresses = readonly Endpoint[];

/** Options after validation: defaults filled in, durations in milliseconds. */
export interface ResolvedOptions {
  readonly topology: Topology;
  /** The server, the Cluster's first nodes, or the Sentinels. */
  readonly addresses: Addresses;
  readonly name: string | undefined;
  readonly db: number;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly sentinelUsername: string | undefined;
  readonly sentinelPassword: string | undefined;
  readonly tls: TlsOptions | undefined;
  readonly sentinelTls: TlsOptions | undefined;
  readonly natMap: NatMap | undefined;
  readonly maxConnections: number;
  readonly commandTimeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly socketTimeoutMs: number;
  readonly healthCheckIntervalMs: number;
  readonly breakerFailures: number;
  readonly breakerResetAfterMs: number;
  readonly logger: Logger;
  readonly telemetry: Telemetry | undefined;
  readonly clientName: string | undefined;
  readonly redact: Redact;
}

const KNOWN: Readonly<Record<keyof RedisOptions, true>> = {
  url: true,
  host: true,
  port: true,
  cluster: true,
  sentinels: true,
  client: true,
  name: true,
  db: true,
  username: true,
  password: true,
  sentinelUsername: true,
  sentinelPassword: true,
  tls: true,
  sentinelTls: true,
  natMap: true,
  maxConnections: true,
  commandTimeout: true,
  connectTimeout: true,
  socketTimeout: true,
  healthCheckInterval: true,
  breaker: true,
  logger: true,
  telemetry: true,
  clientName: true,
};
const OF_THE_CLIENT = [
  ...(['db', 'username', 'password', 'sentinelUsername', 'sentinelPassword', 'tls', 'sentinelTls'] as const),
  ...(['natMap', 'maxConnections', 'clientName'] as const),
];
const DAY_MS = 86_400_000;

/** @throws {TierkitError} `ERR_REDIS_OPTIONS` naming every fault, without any secret. */
export function resolveOptions(input: string | RedisOptions): ResolvedOptions {
  const options: RedisOptions = typeof input === 'string' ? { url: input } : input;
  const faults = new OptionFaults();
  for (const option of Object.keys(options)) {
    if (!Object.hasOwn(KNOWN, option)) faults.add(`${option} is not an option`);
  }
  const { topology, addresses, url } = target(options, faults);
  const db = faults.integer('db', options.db ?? url?.db, 0, 1_000_000, 0);
  if (topology === 'cluster' && db !== 0) faults.add('db must be 0, as a Cluster has no other');
  if (options.tls === false && url?.tls === true) faults.add('tls is false, but the URL is rediss://');
  const username = faults.text('username', options.username) ?? url?.username;
  const password = faults.text('password', options.password) ?? url?.password;
  if (username !== undefined && password === undefined) faults.add('username needs a password');
  const sentinelPassword = faults.text('sentinelPassword', options.sentinelPassword);
  const resolved: ResolvedOptions = {
    topology,
    addresses,
    db,
    username,
    password,
    sentinelPassword,
    name: faults.text('name', options.name),
    sentinelUsername: faults.text('sentinelUsername', options.sentinelUsername),
    tls: tlsOptions('tls', options.tls ?? url?.tls, faults),
    sentinelTls: tlsOptions('sentinelTls', options.sentinelTls, faults),
    natMap: options.natMap,
    maxConnections: faults.integer('maxConnections', options.maxConnections, 1, 1_000, 1),
    commandTimeoutMs: faults.duration('commandTimeout', options.commandTimeout, 300, DAY_MS),
    connectTimeoutMs: faults.duration('connectTimeout', options.connectTimeout, 1_000, DAY_MS),
    socketTimeoutMs: faults.duration('socketTimeout', options.socketTimeout, 1_000, DAY_MS),
    healthCheckIntervalMs: faults.duration('healthCheckInterval', options.healthCheckInterval, 10_000, DAY_MS),
    breakerFailures: faults.integer('breaker.failures', options.breaker?.failures, 1, 1_000_000, 5),
    breakerResetAfterMs: faults.duration('breaker.resetAfter', options.breaker?.resetAfter, 1_000, DAY_MS),
    logger: safeLogger(options.logger),
    telemetry: combineTelemetry(options.telemetry),
    clientName: faults.text('clientName', options.clientName),
    redact: redactor([password, sentinelPassword]),
  };
  if (topology === 'sentinel' && resolved.name === undefined) faults.add('sentinels needs the name of the master');
  if (topology !== 'sentinel' && resolved.name !== undefined) faults.add('name needs sentinels');
  faults.throwIfAny();
  return resolved;
}

interface Target {
  readonly topology: Topology;
  readonly addresses: Addresses;
  readonly url?: UrlParts | undefined;
}

function target(options: RedisOptions, faults: OptionFaults): Target {
  const ways = (['url', 'host', 'cluster', 'sentinels', 'client'] as const).filter((way) => options[way] !== undefined);
  const way = ways[0] ?? (options.port === undefined ? undefined : 'host');
  if (way === undefined || ways.length > 1) {
    faults.add(
      `exactly one of url, host, cluster, sentinels and client must be given, not ${ways.join(' and ') || 'none'}`,
    );
  }
  if (options.port !== undefined && way !== 'host') faults.add('port goes with host only');
  if (way === 'url') {
    const url = parseRedisUrl('url', options.url, faults);
    const addresses = url === undefined ? [] : [{ host: url.host, port: url.port }];
    return { topology: 'standalone', addresses, url };
  }
  if (way === 'client') {
    for (const option of OF_THE_CLIENT) if (options[option] !== undefined) faults.add(`${option} is up to the client`);
    return { topology: 'standalone', addresses: [] };
  }
  if (way === 'cluster') return clusterTarget(options.cluster, faults);
  if (way === 'sentinels') {
    return { topology: 'sentinel', addresses: addressList('sentinels', options.sentinels, 26_379, faults) };
  }
  const host = options.host ?? 'localhost';
  return { topology: 'standalone', addresses: [parseAddress('host', { host, port: options.port }, 6379, faults)] };
}

function clusterTarget(nodes: unknown, faults: OptionFaults): Target {
  const urls: UrlParts[] = [];
  const asAddresses = Array.isArray(nodes)
    ? nodes.map((node: unknown, i) => {
        if (typeof node !== 'string' || !node.includes('://')) return node;
        const url = parseRedisUrl(`cluster[${i}]`, node, faults);
        if (url !== undefined) urls.push(url);
        return url ?? { host: 'invalid' };
      })
    : nodes;
  // Nodes of one Cluster share their credentials, so the first URL speaks for all.
  return { topology: 'cluster', addresses: addressList('cluster', asAddresses, 6379, faults), url: urls[0] };
}

function addressList(option: string, list: unknown, defaultPort: number, faults: OptionFaults): Addresses {
  if (!Array.isArray(list) || list.length === 0) {
    faults.add(`${option} must be a list of at least one address`);
    return [];
  }
  return list.map((value: unknown, i) => parseAddress(`${option}[${i}]`, value, defaultPort, faults));
}

function tlsOptions(
  option: string,
  value: boolean | TlsOptions | undefined,
  faults: OptionFaults,
): TlsOptions | undefined {
  if (value === undefined || value === false) return undefined;
  if (value === true) return {};
  if (typeof value === 'object') return value;
  faults.add(`${option} must be true, false or options of node:tls`);
  return undefined;
}
