import { TimedOperation, type Attributes, type SpanDetails, type Telemetry } from '@tierkit/core';
import { OPERATION_DURATION } from './cache-metrics.ts';

export type CacheOperation =
  | 'get'
  | 'get_many'
  | 'get_or_set'
  | 'get_or_set_many'
  | 'load'
  | 'set'
  | 'delete'
  | 'clear'
  | 'invalidate_tags'
  | 'delete_by_pattern'
  | 'write_through';

/** What times the operations of one tier, or of one name in it. */
export class CacheTimers {
  readonly telemetry: Telemetry;
  readonly #attributes: Attributes;
  readonly #timed = new Map<CacheOperation, TimedOperation>();

  /** @param name one of few, or undefined */
  constructor(telemetry: Telemetry, tier: string, name?: string) {
    this.telemetry = telemetry;
    this.#attributes = name === undefined ? { tier } : { tier, name };
  }

  of(operation: CacheOperation): TimedOperation {
    let timed = this.#timed.get(operation);
    if (timed === undefined) {
      timed = new TimedOperation(this.telemetry, {
        metric: OPERATION_DURATION,
        attributes: { ...this.#attributes, operation },
        span: {
          name: `tierkit.cache.${operation}`,
          attributes: this.#attributes,
          resultOf: operation === 'get' ? hitOrMiss : undefined,
        },
      });
      this.#timed.set(operation, timed);
    }
    return timed;
  }
}

/** Runs work as an operation that is timed, if somebody wants to know. */
export function timed<T>(
  { timers }: { readonly timers: CacheTimers | undefined },
  operation: CacheOperation,
  work: () => Promise<T>,
  details?: SpanDetails,
): Promise<T> {
  return timers === undefined ? work() : timers.of(operation).run(work, details);
}

function hitOrMiss(found: unknown): string {
  return found === undefined ? 'miss' : 'hit';
}
