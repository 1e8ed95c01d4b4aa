import type { RedisHealth } from '@tierkit/redis';
import type { JSX } from 'preact';
import * as format from '../../format.ts';
import { Facts } from '../../parts/facts.tsx';
import { Panel } from '../../parts/panel.tsx';

/** What of `health/detailed` is shown. */
export interface DetailedHealth {
  readonly status: string;
  readonly backend: string;
  readonly latencyMs: number;
  readonly prefix: string;
  readonly checks: {
    readonly redis: RedisHealth | null;
    readonly coherence: { readonly status: string; readonly unconfirmedScopes: number };
    readonly server: {
      readonly version: string;
      readonly keys: number;
      readonly usedMemoryBytes: number;
      readonly maxMemoryBytes: number;
      readonly maxMemoryPolicy: string;
      readonly evictedKeys: number;
      readonly connectedClients: number;
      readonly commandsPerSecond: number;
    } | null;
  };
}

export interface HealthPanelProps {
  readonly health: DetailedHealth | undefined;
  readonly error: string | undefined;
}

export function HealthPanel({ health, error }: HealthPanelProps): JSX.Element {
  return (
    <Panel title="Health">
      {error !== undefined && <p role="alert">{error}</p>}
      {health !== undefined && <Facts facts={factsOf(health)} />}
    </Panel>
  );
}

function factsOf({ status, backend, latencyMs, prefix, checks }: DetailedHealth): (readonly [string, string])[] {
  const { redis, coherence, server } = checks;
  return [
    ['status', status],
    ['backend', `${backend}${prefix === '' ? '' : `, prefix ${prefix}`}`],
    ['invalidations heard', coherence.status === 'up' ? 'yes' : 'no'],
    ['unconfirmed scopes', format.count(coherence.unconfirmedScopes)],
    ...(redis === null
      ? []
      : ([
          ['Redis answers in', `${format.span(latencyMs)} (${redis.topology})`],
          ['breaker', redis.breaker.state],
          ...(redis.nodes ?? []).map((node) => [`node ${node.address}`, node.status] as const),
        ] as const)),
    ...(server === null
      ? []
      : ([
          ['version', server.version],
          ['memory', `${format.bytes(server.usedMemoryBytes)}${limitOf(server.maxMemoryBytes)}`],
          ['eviction', `${server.maxMemoryPolicy}, ${format.count(server.evictedKeys)} evicted`],
          ['clients', format.count(server.connectedClients)],
          ['commands per second', format.count(server.commandsPerSecond)],
        ] as const)),
  ];
}

function limitOf(maxMemoryBytes: number): string {
  return maxMemoryBytes === 0 ? ', no limit' : ` of ${format.bytes(maxMemoryBytes)}`;
}
