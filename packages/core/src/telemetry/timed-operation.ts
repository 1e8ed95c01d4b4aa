import type {
  Attributes,
  Durations,
  MetricDefinition,
  SpanDefinition,
  SpanDetails,
  Spans,
  Telemetry,
} from './telemetry.ts';

export interface TimedOperationOptions {
  readonly metric: MetricDefinition;
  readonly attributes: Attributes;
  readonly span: SpanDefinition;
}

/** An operation that is measured: how long each run took goes to a duration metric, and recorded traces get a span. */
export class TimedOperation {
  readonly #durations: Durations;
  readonly #spans: Spans | undefined;
  readonly #span: SpanDefinition;
  readonly #errorTypes = new Set<string>();

  constructor(telemetry: Telemetry, options: TimedOperationOptions) {
    this.#durations = telemetry.durations(options.metric, options.attributes);
    this.#spans = telemetry.spans;
    this.#span = options.span;
  }

  /** Whether `run` would make a span now. Where it would not, who is in a hurry does without it and calls `ended`. */
  get traced(): boolean {
    return this.#spans !== undefined && this.#spans.active();
  }

  /** Settles as the work does. */
  run<T>(work: () => Promise<T>, details?: SpanDetails): Promise<T> {
    const startedMs = performance.now();
    const running = this.#spans?.active() === true ? this.#spans.run(this.#span, work, details) : work();
    return running.then(
      (value) => {
        this.ended(startedMs);
        return value;
      },
      (error: unknown) => {
        this.#durations.record((performance.now() - startedMs) / 1_000, this.#boundedType(error));
        throw error;
      },
    );
  }

  /** Records a run without an error. @param startedMs `performance.now()` when it began */
  ended(startedMs: number): void {
    this.#durations.record((performance.now() - startedMs) / 1_000);
  }

  /** A program may make up an error code for each failure: a series each would be one too many. */
  #boundedType(error: unknown): string {
    const type = errorType(error);
    if (this.#errorTypes.has(type)) return type;
    if (this.#errorTypes.size >= MAX_ERROR_TYPES) return OTHER;
    this.#errorTypes.add(type);
    return type;
  }
}

/** Of one operation; further ones are counted together. */
const MAX_ERROR_TYPES = 20;
const OTHER = '_OTHER';

/**
 * What an error is, as a word that may be an attribute: its code or the name of its class, never its message. What is
 * not in that form, and might come from input, is `_OTHER`.
 */
export function errorType(error: unknown): string {
  if (!(error instanceof Error)) return OTHER;
  const { code } = error as { readonly code?: unknown };
  if (typeof code === 'string' && CODE.test(code)) return code;
  return CLASS.test(error.name) ? error.name : OTHER;
}

const CODE = /^[A-Z][A-Z\d_]{1,63}$/;
const CLASS = /^[A-Z][A-Za-z\d]{0,60}Error$|^Error$/;
