import type { Cluster, Redis, RedisOptions as IoredisOptions } from 'ioredis';
import { backoffMs, isCluster, ownClient, type RedisClient } from './client.ts';
import type { DuplicateOptions } from './connection.ts';
import { unavailable } from './errors.ts';
import { addressOf, hasSentinels, masterOf } from './masters.ts';
import type { ResolvedOptions } from './resolve-options.ts';
import { persist } from './sentinel.ts';

/** A client of its own for subscribing or for blocking reads, to the same server as `client`, or to one of its nodes. */
export function duplicateClient(
  client: RedisClient,
  purpose: 'subscriber' | 'blocking',
  { node, key, clientName }: DuplicateOptions,
  options: ResolvedOptions,
  onGone: (duplicate: Redis) => void,
): Redis {
  const own: IoredisOptions = {
    protocol: 2,
    lazyConnect: true,
    enableOfflineQueue: false,
    autoResubscribe: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    enableAutoPipelining: false,
    retryStrategy: backoffMs,
    connectTimeout: options.connectTimeoutMs,
    ...(clientName === undefined ? {} : { connectionName: clientName }),
    // With a `blockingTimeout` ioredis answers late reads with nothing: what comes then is dropped, and silence looks like no news.
    ...(purpose === 'blocking'
      ? { commandTimeout: undefined, socketTimeout: undefined, blockingTimeout: undefined }
      : { commandTimeout: options.commandTimeoutMs, socketTimeout: options.socketTimeoutMs }),
  };
  if (isCluster(client)) {
    const master = node ?? masterOf(client, key);
    if (master === undefined) throw unavailable('No master of the Cluster is known yet', 'no');
    const toMaster = { ...own, lazyConnect: false, readOnly: false, retryStrategy: whileKnown(client, master) };
    const duplicate = watched(master.duplicate(toMaster), options);
    onceGone(duplicate, onGone);
    return duplicate;
  }
  const duplicate = watched(client.duplicate(own), options);
  if (hasSentinels(client)) {
    persist(duplicate, () => onGone(duplicate));
  } else {
    onceGone(duplicate, onGone);
    duplicate.connect().catch(() => undefined);
  }
  return duplicate;
}

/** A client that is disconnected between two attempts to connect emits no `end`. */
function onceGone(client: Redis, onGone: (client: Redis) => void): void {
  client.once('end', () => onGone(client));
  const disconnect = client.disconnect.bind(client);
  client.disconnect = (reconnect = false) => {
    const between = client.status === 'reconnecting';
    disconnect(reconnect);
    if (between && !reconnect) onGone(client);
  };
}

function whileKnown(cluster: Cluster, node: Redis): (attempt: number) => number | null {
  const address = addressOf(node);
  return (attempt) =>
    cluster.nodes('master').some((known) => addressOf(known) === address) || cluster.status !== 'ready'
      ? backoffMs(attempt)
      : null;
}

/** Gives up a handshake that hangs: nothing else bounds it on a connection without a command timeout. */
function watched(client: Redis, { connectTimeoutMs }: ResolvedOptions): Redis {
  let timer: NodeJS.Timeout | undefined;
  client.on('error', () => undefined);
  client.on('connect', () => {
    timer = setTimeout(() => client.disconnect(true), connectTimeoutMs);
    timer.unref();
  });
  client.on('ready', () => clearTimeout(timer));
  client.on('close', () => clearTimeout(timer));
  return ownClient(client);
}
