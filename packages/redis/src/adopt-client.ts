import { TierkitError } from '@tierkit/core';
import { isCluster, type RedisClient } from './client.ts';
import { hasSentinels } from './masters.ts';
import { redactor, type Redact } from './redact.ts';
import type { Topology } from './resolve-options.ts';

/** What is known of a client that the user made. */
export interface AdoptedClient {
  readonly topology: Topology;
  readonly db: number;
  /** The client's own limit on a command, if it has one. */
  readonly commandTimeoutMs: number | undefined;
  readonly redact: Redact;
}

/**
 * Checks a client of the user's for options under which this package's guarantees would not hold.
 *
 * @throws {TierkitError} `ERR_REDIS_OPTIONS` naming all of them.
 */
export function adoptClient(client: RedisClient): AdoptedClient {
  const faults = isCluster(client) ? clusterFaults(client.options) : [];
  const options = isCluster(client) ? (client.options.redisOptions ?? {}) : client.options;
  if (client.options.keyPrefix)
    faults.push('keyPrefix would rename the keys of scripts behind their back; give a prefix here');
  if (options.stringNumbers === true) faults.push('stringNumbers changes what scripts reply');
  if ('replyMapping' in options && options.replyMapping === 'resp3') faults.push('replyMapping must be legacy');
  if ('monitor' in options && options.monitor === true) faults.push('a monitoring client takes no commands');
  if ('role' in options && options.role === 'slave')
    faults.push('a replica answers with old values; role must be master');
  if (faults.length > 0) {
    throw new TierkitError('ERR_REDIS_OPTIONS', `The ioredis client cannot be used: ${faults.join('; ')}`, {
      details: { faults },
    });
  }
  return {
    topology: isCluster(client) ? 'cluster' : hasSentinels(client) ? 'sentinel' : 'standalone',
    db: isCluster(client) ? 0 : (options.db ?? 0),
    commandTimeoutMs: options.commandTimeout,
    redact: redactor([options.password, 'sentinelPassword' in options ? options.sentinelPassword : undefined]),
  };
}

function clusterFaults(options: { scaleReads?: unknown; enableAutoPipelining?: boolean | undefined }): string[] {
  const faults: string[] = [];
  if (options.scaleReads !== 'master') faults.push('scaleReads must be master, as replicas answer with old values');
  if (options.enableAutoPipelining === true) faults.push('enableAutoPipelining fails while slots move in a Cluster');
  return faults;
}
