import type { MetricDefinition } from '@tierkit/core';
import type { CacheCounters } from '../stats.ts';

const OF_TIER = ['tier', 'name'] as const;

function counter(name: string, unit: string, description: string, ...more: string[]): MetricDefinition {
  return { name: `tierkit.cache.${name}`, kind: 'counter', unit, description, attributes: [...OF_TIER, ...more] };
}

function gauge(name: string, unit: string, description: string, ...attributes: string[]): MetricDefinition {
  return { name: `tierkit.cache.${name}`, kind: 'gauge', unit, description, attributes };
}

export const READS: MetricDefinition = counter('reads', '{read}', 'Reads by how they were answered', 'result');
export const IO: MetricDefinition = counter(
  'io',
  'By',
  'Bytes of values from and to Redis, as they lie there',
  'direction',
);

/** Counters whose one number is a counter of the statistics. */
export const COUNTED: readonly (readonly [keyof CacheCounters, MetricDefinition])[] = [
  ['staleServed', counter('stale_reads', '{read}', 'Misses and shared reads that were answered with something stale')],
  ['loads', counter('loads', '{load}', 'Loaders run')],
  ['loadErrors', counter('load_errors', '{load}', 'Loads that failed or took too long')],
  ['writes', counter('writes', '{entry}', 'Entries stored that Redis confirmed')],
  ['deletes', counter('deletes', '{entry}', 'Entries deleted where Redis confirmed')],
  ['errors', counter('errors', '{command}', 'Commands that Redis did not confirm')],
  ['corrupt', counter('corrupt_entries', '{entry}', 'Entries that could not be decoded and were removed')],
];

/** How a read was answered, as the statistics count it. */
export const RESULTS = { l1_hit: 'l1Hits', l2_hit: 'l2Hits', miss: 'misses', shared: 'shared' } as const;

export const L1_ENTRIES: MetricDefinition = gauge('l1.entries', '{entry}', 'Entries in process', 'tier');
export const L1_SIZE: MetricDefinition = gauge('l1.size', 'By', 'Bytes in process, as its bounds count them', 'tier');
export const INCOHERENT: MetricDefinition = gauge(
  'incoherent',
  '{cache}',
  'Caches that do not hear of changes elsewhere: 0 when all is well',
);
export const UNCONFIRMED: MetricDefinition = gauge(
  'unconfirmed_scopes',
  '{scope}',
  'Scopes with changes that Redis did not confirm yet',
);

/** What was timed; the time of `get_or_set` has that of its `load` in it. Hits in process are not timed. */
export const OPERATION_DURATION: MetricDefinition = {
  name: 'tierkit.cache.operation.duration',
  kind: 'duration',
  unit: 's',
  description: 'How long operations took that the in-process level could not answer',
  attributes: ['tier', 'operation', 'name', 'error.type'],
  bounds: [0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
};
