import type { MetricDefinition, MetricSource } from '@tierkit/core';
import type { RedisConnection } from './connection.ts';

const UNAVAILABLE: MetricDefinition = {
  name: 'tierkit.redis.unavailable',
  kind: 'gauge',
  unit: '{connection}',
  description: 'Connections to Redis that cannot be used now: 0 when all is well',
  attributes: [],
};
const BREAKER_OPEN: MetricDefinition = {
  name: 'tierkit.redis.breaker_open',
  kind: 'gauge',
  unit: '{connection}',
  description: 'Connections to Redis whose breaker keeps commands back',
  attributes: [],
};

/** How a connection is, read when somebody collects. */
export function connectionSource(connection: Pick<RedisConnection, 'status' | 'breaker'>): MetricSource {
  return {
    metrics: [UNAVAILABLE, BREAKER_OPEN],
    read(observe) {
      observe(UNAVAILABLE, connection.status === 'ready' ? 0 : 1, {});
      observe(BREAKER_OPEN, connection.breaker.state === 'closed' ? 0 : 1, {});
    },
  };
}
