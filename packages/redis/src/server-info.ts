import type { Redis } from 'ioredis';
import type { RedisConnection } from './connection.ts';
import { addressOf } from './masters.ts';

/** What INFO says of one master; numbers that the server does not report are 0. */
export interface NodeInfo {
  /** `host:port` */
  readonly address: string;
  readonly version: string;
  readonly role: string;
  readonly uptimeSeconds: number;
  readonly usedMemoryBytes: number;
  readonly peakMemoryBytes: number;
  /** 0 means no limit. */
  readonly maxMemoryBytes: number;
  /** Which keys the server evicts when memory is full, like `noeviction` or `allkeys-lru`. */
  readonly maxMemoryPolicy: string;
  readonly connectedClients: number;
  /** Commands processed since the server started. */
  readonly commands: number;
  readonly commandsPerSecond: number;
  /** Keys in the connection's database. */
  readonly keys: number;
  /** Key look-ups that found and did not find the key, since the server started, of all databases and clients. */
  readonly keyspaceHits: number;
  readonly keyspaceMisses: number;
  readonly evictedKeys: number;
  readonly expiredKeys: number;
}

export interface ServerInfo {
  readonly nodes: readonly NodeInfo[];
  /** Sums over the masters; the version, role and policy are those of the first, the uptime is the shortest. */
  readonly total: Omit<NodeInfo, 'address'>;
}

/**
 * A summary of INFO of every master.
 *
 * @throws {TierkitError} `ERR_REDIS_UNAVAILABLE`, `ERR_REDIS_TIMEOUT` or `ERR_REDIS_REPLY`: a master did not answer, or
 *   the ACL user may not use INFO.
 */
export async function describeServer(redis: RedisConnection): Promise<ServerInfo> {
  const nodes = await Promise.all(redis.masters().map((node) => nodeInfo(redis, node)));
  const [first] = nodes;
  const sum = (pick: (node: NodeInfo) => number): number => nodes.reduce((total, node) => total + pick(node), 0);
  return {
    nodes,
    total: {
      version: first?.version ?? '',
      role: first?.role ?? '',
      maxMemoryPolicy: first?.maxMemoryPolicy ?? '',
      uptimeSeconds: nodes.length === 0 ? 0 : Math.min(...nodes.map(({ uptimeSeconds }) => uptimeSeconds)),
      usedMemoryBytes: sum((node) => node.usedMemoryBytes),
      peakMemoryBytes: sum((node) => node.peakMemoryBytes),
      maxMemoryBytes: sum((node) => node.maxMemoryBytes),
      connectedClients: sum((node) => node.connectedClients),
      commands: sum((node) => node.commands),
      commandsPerSecond: sum((node) => node.commandsPerSecond),
      keys: sum((node) => node.keys),
      keyspaceHits: sum((node) => node.keyspaceHits),
      keyspaceMisses: sum((node) => node.keyspaceMisses),
      evictedKeys: sum((node) => node.evictedKeys),
      expiredKeys: sum((node) => node.expiredKeys),
    },
  };
}

async function nodeInfo(redis: RedisConnection, node: Redis): Promise<NodeInfo> {
  const text = await redis.execute(() => node.info(), undefined, 'INFO');
  const fields = new Map<string, string>();
  for (const line of text.split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon > 0) fields.set(line.slice(0, colon), line.slice(colon + 1));
  }
  const number = (field: string): number => Number(fields.get(field) ?? 0) || 0;
  return {
    address: addressOf(node),
    version: fields.get('redis_version') ?? '',
    role: fields.get('role') ?? '',
    uptimeSeconds: number('uptime_in_seconds'),
    usedMemoryBytes: number('used_memory'),
    peakMemoryBytes: number('used_memory_peak'),
    maxMemoryBytes: number('maxmemory'),
    maxMemoryPolicy: fields.get('maxmemory_policy') ?? '',
    connectedClients: number('connected_clients'),
    commands: number('total_commands_processed'),
    commandsPerSecond: number('instantaneous_ops_per_sec'),
    keys: Number(/^keys=(\d+)/.exec(fields.get(`db${redis.db}`) ?? '')?.[1] ?? 0),
    keyspaceHits: number('keyspace_hits'),
    keyspaceMisses: number('keyspace_misses'),
    evictedKeys: number('evicted_keys'),
    expiredKeys: number('expired_keys'),
  };
}
