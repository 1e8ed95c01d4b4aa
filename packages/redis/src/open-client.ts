import { Cluster, Redis } from 'ioredis';
import {
  backoffMs,
  boundedOptions,
  conceal,
  ownClient,
  readBeforeGivingUp,
  tidyDisconnect,
  type OpenedClient,
} from './client.ts';
import { connectNodes } from './connect-nodes.ts';
import { destroyClients } from './close-client.ts';
import type { ResolvedOptions, Topology } from './resolve-options.ts';
import { openSentinel } from './sentinel.ts';

const nothing = (): void => {};

const OPENERS: Readonly<Record<Topology, (options: ResolvedOptions) => OpenedClient>> = {
  standalone: openStandalone,
  sentinel: openSentinel,
  cluster: openCluster,
};

export function openClient(options: ResolvedOptions): OpenedClient {
  return OPENERS[options.topology](options);
}

function openStandalone(options: ResolvedOptions): OpenedClient {
  const client = ownClient(new Redis({ ...boundedOptions(options), ...options.addresses[0] }));
  client.on('error', nothing);
  return { client, release: async () => {} };
}

const TOPOLOGY_REFRESH_MS = 1_000;
const NO_NODE_ANSWERED = 'Failed to refresh slots cache.';

function openCluster(options: ResolvedOptions): OpenedClient {
  const { enableOfflineQueue: _queue, retryStrategy: _retry, ...nodeOptions } = boundedOptions(options);
  const client = conceal(
    new Cluster(options.addresses.slice(), {
      redisOptions: nodeOptions,
      enableOfflineQueue: false,
      clusterRetryStrategy: backoffMs,
      // Without these, a command in flight on a lost node would be sent again elsewhere: a script could run twice.
      retryDelayOnFailover: 0,
      retryDelayOnClusterDown: 0,
      slotsRefreshTimeout: 1_000,
      ...(options.natMap === undefined ? {} : { natMap: { ...options.natMap } }),
      // A certificate names hosts, so they must not be replaced by their addresses.
      ...(options.tls === undefined ? {} : { dnsLookup: (host, done) => done(null, host) }),
    }),
  );
  client.on('error', nothing);
  connectNodes(client, options.connectTimeoutMs, options.commandTimeoutMs);
  const duplicates = new Set<Redis>();
  client.on('+node', (node: Redis) => followDuplicates(readBeforeGivingUp(conceal(node)), duplicates));
  const refresh = (): void => {
    if (client.status === 'ready') client.refreshSlotsCache(refreshed);
  };
  // Without traffic ioredis would call a Cluster ready of which no node is left.
  const refreshed = (error?: Error | null): void => {
    if (error?.message === NO_NODE_ANSWERED && client.status === 'ready') client.disconnect(true);
  };
  client.on('-node', refresh);
  // ioredis's own slotsRefreshInterval re-arms itself after disconnect() if a refresh was under way.
  const timer = setInterval(refresh, TOPOLOGY_REFRESH_MS);
  timer.unref();
  return {
    client,
    release: async () => {
      clearInterval(timer);
      client.off('-node', refresh);
      await destroyClients(duplicates);
    },
  };
}

/** Collects the connections that ioredis makes from a node to ask it for the topology, as nothing else ends them. */
function followDuplicates(node: Redis, into: Set<Redis>): void {
  const duplicate = node.duplicate.bind(node);
  node.duplicate = (override) => {
    const made = tidyDisconnect(duplicate(override));
    into.add(made);
    made.once('end', () => into.delete(made));
    return made;
  };
}
