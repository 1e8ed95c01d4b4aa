import type { RedisOptions } from '@tierkit/redis';
import type { EnvironmentFault } from './environment-faults.ts';
import type { Values } from './environment-variables.ts';

/** Says what contradicts itself: `REDIS_URL` names one server, a node of a Cluster, or a Sentinel. */
export function checkTopology(values: Values, main: URL | undefined, faults: EnvironmentFault[]): void {
  const { REDIS_CLUSTER: cluster = false, REDIS_SENTINEL_NAME: name } = values;
  const fault = (variable: keyof Values, reason: string): void => void faults.push({ variable, reason });
  if (cluster && name !== undefined) fault('REDIS_CLUSTER', 'contradicts REDIS_SENTINEL_NAME; set only one');
  if (values.REDIS_NODES !== undefined && !cluster && name === undefined) {
    fault('REDIS_NODES', 'needs REDIS_CLUSTER=true or REDIS_SENTINEL_NAME, to say what they are nodes of');
  }
  if (values.REDIS_SENTINEL_PASSWORD !== undefined && name === undefined) {
    fault('REDIS_SENTINEL_PASSWORD', 'needs REDIS_SENTINEL_NAME');
  }
  if (main === undefined && (cluster || name !== undefined)) {
    fault(
      cluster ? 'REDIS_CLUSTER' : 'REDIS_SENTINEL_NAME',
      'needs REDIS_URL or REDIS_HOST, which names one of the nodes',
    );
  }
  if (cluster && main !== undefined && Number(main.pathname.slice(1)) > 0) {
    fault('REDIS_CLUSTER', 'has database 0 alone, and another one is named');
  }
}

/** How to reach what a URL names. */
export function reached(url: string, values: Values): RedisOptions {
  const { REDIS_CLUSTER: cluster = false, REDIS_SENTINEL_NAME: name, REDIS_NODES: more = [] } = values;
  if (!cluster && name === undefined) return { url };
  const { host, username, password, protocol, pathname } = new URL(url);
  const nodes = [host, ...more];
  const rest = {
    ...(username === '' ? {} : { username: decodeURIComponent(username) }),
    ...(password === '' ? {} : { password: decodeURIComponent(password) }),
    ...(protocol === 'rediss:' ? { tls: true } : {}),
  };
  if (cluster) return { cluster: nodes, ...rest };
  const { REDIS_SENTINEL_PASSWORD: sentinelPassword } = values;
  return { sentinels: nodes, name, sentinelPassword, db: Number(pathname.slice(1)), ...rest };
}
