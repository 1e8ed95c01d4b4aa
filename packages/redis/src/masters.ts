import type { Cluster, Redis } from 'ioredis';
import type { RedisConnection } from './connection.ts';
import { slotOf } from './slots.ts';

/** `host:port` of the server that a client is configured for; behind Sentinels, of the one it is connected to. */
export function addressOf(client: Redis): string {
  const { options, stream } = client;
  if (hasSentinels(client)) {
    return stream?.remoteAddress === undefined ? 'unknown' : `${stream.remoteAddress}:${stream.remotePort}`;
  }
  return `${options.host ?? 'localhost'}:${options.port ?? 6379}`;
}

export function hasSentinels({ options }: Redis): boolean {
  return 'sentinels' in options && Array.isArray(options.sentinels);
}

/** The master that owns a key as far as the client knows, else any. */
export function masterOf(cluster: Cluster, key: string | undefined): Redis | undefined {
  const masters = cluster.nodes('master');
  const address = key === undefined ? undefined : cluster.slots[slotOf(key)]?.[0];
  return masters.find((node) => addressOf(node) === address) ?? masters[0];
}

/**
 * Items grouped by the master that owns their key, each group in the order given: one pipeline may hold a group.
 *
 * Without a Cluster everything is one group. The view of the slots is the client's, so a pipeline may still be
 * redirected while slots move.
 */
export function groupByMaster<T>(
  redis: RedisConnection,
  items: readonly T[],
  keyOf: (item: T) => string | Buffer,
): T[][] {
  const groups = new Map<number, T[]>();
  for (const item of items) {
    const owner = redis.masterGroup(keyOf(item));
    const group = groups.get(owner);
    if (group === undefined) groups.set(owner, [item]);
    else group.push(item);
  }
  return [...groups.values()];
}
