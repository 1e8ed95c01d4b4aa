import type { MetricDefinition, MetricSource } from '@tierkit/core';
import type { LocksStats } from './locks.ts';

function metric(kind: 'counter' | 'gauge', name: string, unit: string, description: string): MetricDefinition {
  return { name: `tierkit.lock.${name}`, kind, unit, description, attributes: [] };
}

const METRICS: Readonly<Record<keyof LocksStats, MetricDefinition>> = {
  held: metric('gauge', 'held', '{lock}', 'Locks and permits that this process holds'),
  waiting: metric('gauge', 'waiting', '{waiter}', 'Callers of this process that wait in line'),
  acquired: metric('counter', 'acquired', '{lock}', 'Locks and permits that were taken'),
  waited: metric('counter', 'waited', '{lock}', 'Of these, those that had to wait'),
  timeouts: metric('counter', 'timeouts', '{waiter}', 'Waits that ran out of time'),
  lost: metric('counter', 'lost', '{lock}', 'Locks and permits that were lost before they were released'),
};

/** The figures of `stats()`, as metrics. */
export function locksSource(stats: () => LocksStats): MetricSource {
  return {
    metrics: Object.values(METRICS),
    read(observe) {
      const figures = stats();
      for (const [name, metric] of Object.entries(METRICS)) observe(metric, figures[name as keyof LocksStats], {});
    },
  };
}
