import type { MetricDefinition, MetricSource } from '@tierkit/core';
import type { WriteBehindQueue } from '../write-behind/queue.ts';

function metric(kind: 'counter' | 'gauge', name: string, unit: string, description: string): MetricDefinition {
  // What is known of a queue here is no part of a sum with what others know of it.
  const merge = kind === 'gauge' ? 'max' : 'sum';
  return { name: `tierkit.write_behind.${name}`, kind, unit, description, attributes: ['queue'], merge };
}

const BACKLOG = metric('gauge', 'backlog', '{key}', 'Pending keys of the whole queue, as a process noted them last');
const LAG = metric('gauge', 'lag', 's', 'How old the oldest write of the last flush of this process was at its end');
const FLUSHED = metric('counter', 'flushed', '{write}', 'Writes that the sink took from this process');
const FLUSHES = metric('counter', 'flushes', '{flush}', 'Batches that this process gave to the sink');
const FAILURES = metric('counter', 'failures', '{flush}', 'Batches of this process that the sink did not take');
const DEAD_LETTERS = metric('counter', 'dead_letters', '{write}', 'Writes that this process gave up');

/** What this process does for its write-behind queues. */
export function writeBehindSource(queues: () => readonly WriteBehindQueue[]): MetricSource {
  return {
    metrics: [BACKLOG, LAG, FLUSHED, FLUSHES, FAILURES, DEAD_LETTERS],
    read(observe) {
      for (const { name, observed } of queues()) {
        const of = { queue: name };
        observe(BACKLOG, observed.backlog, of);
        observe(LAG, observed.lagMs / 1_000, of);
        observe(FLUSHED, observed.flushed, of);
        observe(FLUSHES, observed.flushes, of);
        observe(FAILURES, observed.failures, of);
        observe(DEAD_LETTERS, observed.deadLetters, of);
      }
    },
  };
}
