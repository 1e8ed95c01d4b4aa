import { LONGEST_TIMER_MS, parseDuration, TierkitError, type Duration } from '@tierkit/core';
import type { Redis } from 'ioredis';
import type { BreakerState } from './breaker.ts';
import type { RedisConnection } from './connection.ts';
import { translateRedisError, unavailable } from './errors.ts';
import { addressOf } from './masters.ts';
import type { Topology } from './resolve-options.ts';

export interface NodeHealth {
  /** `host:port` */
  readonly address: string;
  readonly status: 'up' | 'down';
  /** Milliseconds from PING to its reply, or to the failure. */
  readonly latencyMs: number;
  /** Why the node is down. */
  readonly error?: string;
}

export interface RedisHealth {
  /** `'up'` if the breaker is closed and every known master answers. */
  readonly status: 'up' | 'down';
  /** That of the slowest master, in milliseconds. */
  readonly latencyMs: number;
  readonly topology: Topology;
  readonly breaker: { readonly state: BreakerState; readonly failures: number };
  /** The masters. */
  readonly nodes: readonly NodeHealth[];
  /** Why the status is `'down'`. */
  readonly error?: string;
}

/**
 * Asks every master for a sign of life; it never rejects, and takes no longer than `timeout`.
 *
 * It asks also while the breaker is open, and does not change the breaker.
 *
 * @param options.timeout How long to wait for the masters. @default 1 second
 */
export async function checkHealth(
  redis: RedisConnection,
  options: { readonly timeout?: Duration } = {},
): Promise<RedisHealth> {
  const timeoutMs = parseDuration(options.timeout ?? 1_000, 'timeout', { maxMs: LONGEST_TIMER_MS });
  const masters = redis.status === 'closed' ? [] : redis.masters();
  const nodes = await Promise.all(masters.map((node) => nodeHealth(node, timeoutMs)));
  const { topology, breaker } = redis;
  const error = faultOf(redis, nodes);
  return {
    status: error === undefined ? 'up' : 'down',
    latencyMs: Math.max(0, ...nodes.map(({ latencyMs }) => latencyMs)),
    topology,
    breaker,
    nodes,
    ...(error === undefined ? {} : { error }),
  };
}

function faultOf(redis: RedisConnection, nodes: readonly NodeHealth[]): string | undefined {
  if (redis.status === 'closed') return 'the connection is closed';
  if (nodes.length === 0) return 'no master is known';
  const down = nodes.find(({ status }) => status === 'down');
  if (down !== undefined) return `${down.address}: ${down.error}`;
  return redis.breaker.state === 'closed' ? undefined : `the breaker is ${redis.breaker.state}`;
}

async function nodeHealth(node: Redis, timeoutMs: number): Promise<NodeHealth> {
  const address = addressOf(node);
  const start = performance.now();
  let timer: NodeJS.Timeout | undefined;
  try {
    if (node.status !== 'ready' && node.status !== 'wait')
      throw unavailable(`the connection is in state ${node.status}`, 'no');
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(unavailable(`no answer within ${timeoutMs} ms`, 'unknown')), timeoutMs);
    });
    await Promise.race([node.ping(), late]);
    return { address, status: 'up', latencyMs: performance.now() - start };
  } catch (error) {
    const translated = translateRedisError(error, (text) => text);
    const reason = translated instanceof TierkitError ? translated.message : 'the PING failed';
    return { address, status: 'down', latencyMs: performance.now() - start, error: reason };
  } finally {
    clearTimeout(timer);
  }
}
