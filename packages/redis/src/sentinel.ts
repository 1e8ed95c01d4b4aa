import { Redis } from 'ioredis';
import {
  backoffMs,
  boundedOptions,
  conceal,
  ownClient,
  tidyDisconnect,
  type ClientOptions,
  type OpenedClient,
} from './client.ts';
import { destroyClients } from './close-client.ts';
import type { ResolvedOptions } from './resolve-options.ts';

/** The part of ioredis's Sentinel connector that makes its connections to the Sentinels. */
interface SentinelConnections {
  connectToSentinel(address: unknown, options?: ClientOptions): Redis;
}

const nothing = (): void => {};

/** A client of the master that the Sentinels name, which follows it and never gives up. */
export function openSentinel(options: ResolvedOptions): OpenedClient {
  const client = ownClient(new Redis({ ...sentinelOptions(options), lazyConnect: true }));
  client.on('error', nothing);
  return { client, release: persist(client) };
}

/**
 * Connects a lazy client of Sentinels and makes it persist until it is disconnected: ioredis gives up for good when no
 * Sentinel answers, and when a failover is announced while it connects.
 *
 * @returns A function that stops it and ends the connections to the Sentinels.
 */
export function persist(client: Redis, onDisconnect?: () => void): () => Promise<void> {
  const sentinels = followSentinels(client);
  let attempts = 0;
  let disconnected = false;
  let timer: NodeJS.Timeout | undefined;
  const connect = (): void => {
    client.connect().catch(nothing);
  };
  client.on('connecting', () => {
    disconnected = false;
  });
  client.on('ready', () => {
    attempts = 0;
  });
  // After QUIT `close` comes before `end`; giving up skips it.
  client.on('close', () => {
    disconnected = true;
  });
  const again = (): void => {
    if (!disconnected) timer = setTimeout(connect, backoffMs(++attempts));
  };
  client.on('end', again);
  connect();
  const stop = async (): Promise<void> => {
    clearTimeout(timer);
    client.off('end', again);
    await destroyClients(sentinels);
  };
  const disconnect = client.disconnect.bind(client);
  client.disconnect = (reconnect = false) => {
    if (!reconnect) void stop();
    disconnect(reconnect);
    if (!reconnect) onDisconnect?.();
  };
  return stop;
}

function sentinelOptions(options: ResolvedOptions): ClientOptions {
  return {
    ...boundedOptions(options),
    ...(options.name === undefined ? {} : { name: options.name }),
    sentinels: options.addresses.slice(),
    ...(options.sentinelUsername === undefined ? {} : { sentinelUsername: options.sentinelUsername }),
    ...(options.sentinelPassword === undefined ? {} : { sentinelPassword: options.sentinelPassword }),
    ...(options.sentinelTls === undefined ? {} : { sentinelTLS: options.sentinelTls }),
    ...(options.tls === undefined ? {} : { enableTLSForSentinelMode: true }),
    ...(options.natMap === undefined ? {} : { natMap: { ...options.natMap } }),
    failoverDetector: true,
    sentinelCommandTimeout: options.connectTimeoutMs,
    sentinelRetryStrategy: () => null,
    sentinelReconnectStrategy: backoffMs,
  };
}

// ioredis leaves some of these connections without an error listener, and then prints their errors.
function followSentinels(client: Redis): ReadonlySet<Redis> {
  const connected = new Set<Redis>();
  const { connector } = client as unknown as { connector: SentinelConnections };
  const original = connector.connectToSentinel.bind(connector);
  connector.connectToSentinel = (address, options) => {
    const sentinel = tidyDisconnect(conceal(original(address, { ...options, disconnectTimeout: 200 })));
    connected.add(sentinel);
    sentinel.on('error', nothing);
    handleResubscribing(sentinel);
    sentinel.once('end', () => connected.delete(sentinel));
    return sentinel;
  };
  return connected;
}

/** After a reconnect ioredis subscribes again by itself, and leaves a failure of that, as at a close meanwhile, to nobody. */
function handleResubscribing(sentinel: Redis): void {
  const subscribe = sentinel.subscribe.bind(sentinel) as (...args: unknown[]) => Promise<unknown>;
  sentinel.subscribe = (...args: unknown[]): Promise<unknown> => {
    const subscribed = subscribe(...args);
    subscribed.catch(nothing);
    return subscribed;
  };
}
