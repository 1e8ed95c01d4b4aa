import type { Attributes, Durations, MetricDefinition } from '@tierkit/core';
import { seriesId } from './sources.ts';

/** What was recorded of one series. */
export interface Cells {
  readonly attributes: Attributes;
  /** What fell under each bound and not under the one before, then what is above all of them. */
  readonly counts: Float64Array;
  sum: number;
}

/**
 * A histogram in plain numbers: to record is to find the bucket and to add one, without looking at attributes. What is no
 * duration, below zero or not finite, is left out.
 */
export class Distribution {
  readonly metric: MetricDefinition;
  readonly bounds: Float64Array;
  readonly #series = new Map<string, Cells>();

  constructor(metric: MetricDefinition) {
    this.metric = metric;
    this.bounds = Float64Array.from(metric.bounds ?? []);
  }

  of(attributes: Attributes): Durations {
    const succeeded = this.#cellsOf(attributes);
    return {
      record: (seconds, errorType) => {
        if (!(seconds >= 0 && seconds < Infinity)) return;
        const cells = errorType === undefined ? succeeded : this.#cellsOf({ ...attributes, 'error.type': errorType });
        const bucket = this.#bucketOf(seconds);
        cells.counts[bucket] = (cells.counts[bucket] ?? 0) + 1;
        cells.sum += seconds;
      },
    };
  }

  /** The series in which something was recorded. */
  recorded(): Cells[] {
    return [...this.#series.values()].filter(({ counts }) => counts.some((count) => count > 0));
  }

  reset(): void {
    for (const cells of this.#series.values()) {
      cells.counts.fill(0);
      cells.sum = 0;
    }
  }

  #cellsOf(attributes: Attributes): Cells {
    const id = seriesId(this.metric, attributes);
    let cells = this.#series.get(id);
    if (cells === undefined) {
      cells = { attributes, counts: new Float64Array(this.bounds.length + 1), sum: 0 };
      this.#series.set(id, cells);
    }
    return cells;
  }

  #bucketOf(seconds: number): number {
    const { bounds } = this;
    let bucket = 0;
    while (bucket < bounds.length && seconds > (bounds[bucket] as number)) bucket++;
    return bucket;
  }
}
