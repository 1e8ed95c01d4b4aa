import type { Attributes, MetricDefinition, MetricSource, Observe } from './telemetry.ts';

/** Events of one counter, by attributes of few values each, read when somebody collects. */
export class EventCounter implements MetricSource {
  readonly metrics: readonly MetricDefinition[];
  readonly #metric: MetricDefinition;
  readonly #fixed: Attributes;
  readonly #names: readonly string[];
  readonly #counts = new Map<string, number>();

  /** @param fixed attributes of all events; `count` is given the values of the others */
  constructor(metric: MetricDefinition, fixed: Attributes = {}) {
    this.metrics = [metric];
    this.#metric = metric;
    this.#fixed = fixed;
    this.#names = metric.attributes.filter((name) => !Object.hasOwn(fixed, name));
  }

  /** @param values of the attributes that are not fixed, in the order of the metric's definition; never from input */
  count(...values: readonly string[]): void {
    const id = values.join(' ');
    this.#counts.set(id, (this.#counts.get(id) ?? 0) + 1);
  }

  read(observe: Observe): void {
    for (const [id, count] of this.#counts) {
      const values = id.split(' ');
      const own = Object.fromEntries(this.#names.map((name, index) => [name, values[index] ?? '']));
      observe(this.#metric, count, { ...this.#fixed, ...own });
    }
  }
}
