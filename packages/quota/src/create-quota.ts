import { EventCounter, observeOrUndo, type MetricDefinition as Metric } from '@tierkit/core';
import { createRedis, redisInput, type RedisConnection } from '@tierkit/redis';
import { checkOptions, type CheckedOptions } from './definitions/check-options.ts';
import type { MetricDefinitions, PlanOf } from './definitions/metrics.ts';
import type { QuotaBackend, QuotaOptions } from './definitions/options.ts';
import { QuotaCalls } from './calls/quota-calls.ts';
import type { HistoryOptions, Quota, Subject, SubjectOptions } from './quota.ts';
import { MemoryStore } from './stores/memory-store.ts';
import type { QuotaStore } from './stores/quota-store.ts';
import { RedisStore } from './stores/redis-store.ts';
import type { OnUnavailable } from './usage.ts';

const DECISIONS: Metric = {
  name: 'tierkit.quota.decisions',
  kind: 'counter',
  unit: '{decision}',
  description: 'Charges, holds and settlements by what was decided',
  attributes: ['operation', 'result'],
};

/**
 * Quotas on metrics by period, kept in Redis or, with `redis: 'memory'`, in this process. It connects in the background.
 *
 * @throws {TierkitError} `ERR_QUOTA_OPTIONS` naming every fault; `ERR_REDIS_OPTIONS`
 */
export function createQuota<
  const M extends MetricDefinitions<Plan>,
  Plan = never,
  Away extends OnUnavailable = 'refuse',
>(metrics: M, options: QuotaOptions<Plan, Away>): Quota<M, PlanOf<M, Plan>, Away> {
  const checked = checkOptions(metrics, options);
  const decisions = new EventCounter(DECISIONS);
  const redis = isConnection(options.redis)
    ? options.redis
    : redisInput(options.redis, { telemetry: options.telemetry });
  const calls = new QuotaCalls(checked, openStore(options.redis === 'memory' ? 'memory' : redis, checked), decisions);
  const stopObserving = observeOrUndo(options.telemetry, decisions, () => calls.close());
  const quota = {
    add: calls.add.bind(calls),
    reserve: calls.reserve.bind(calls),
    commit: calls.settle.bind(calls, 'commit'),
    release: calls.settle.bind(calls, 'release'),
    set: calls.set.bind(calls),
    usage: (subject: Subject, how: HistoryOptions<unknown> | SubjectOptions<object, unknown> = {}) =>
      typeof how === 'object' && how !== null && 'from' in how
        ? calls.history(subject, how)
        : calls.usage(subject, how),
    reset: calls.reset.bind(calls),
    setLimits: calls.setLimits.bind(calls),
    ready: calls.ready.bind(calls),
    close: () => {
      stopObserving();
      return calls.close();
    },
  };
  // Types of results follow from the definition, which is data here.
  return quota as unknown as Quota<M, PlanOf<M, Plan>, Away>;
}

function openStore(backend: QuotaBackend, { prefix, clock, logger }: CheckedOptions): QuotaStore {
  if (backend === 'memory') return new MemoryStore(clock);
  const owned = !isConnection(backend);
  return new RedisStore(owned ? createRedis(backend) : backend, prefix, owned, logger);
}

function isConnection(backend: QuotaBackend): backend is RedisConnection {
  return typeof backend === 'object' && 'execute' in backend && 'masters' in backend;
}
