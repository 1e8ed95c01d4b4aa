import { parseDuration, TierkitError, type Duration } from '@tierkit/core';

/** Collects what is wrong with options, so that one error names all of it. */
export class OptionFaults {
  readonly #faults: string[] = [];

  add(fault: string): void {
    this.#faults.push(fault);
  }

  integer(option: string, value: unknown, min: number, max: number, fallback: number): number {
    if (value === undefined) return fallback;
    if (Number.isInteger(value) && (value as number) >= min && (value as number) <= max) return value as number;
    this.add(`${option} must be a whole number from ${min} to ${max}`);
    return fallback;
  }

  duration(option: string, value: Duration | undefined, fallbackMs: number, maxMs: number): number {
    if (value === undefined) return fallbackMs;
    try {
      return parseDuration(value, option, { maxMs });
    } catch (error) {
      this.add(error instanceof Error ? error.message : `${option} is not a duration`);
      return fallbackMs;
    }
  }

  /** A string that is not empty; the value is never repeated in the fault, as it may be a secret. */
  text(option: string, value: unknown): string | undefined {
    if (value === undefined) return undefined;
    if (typeof value === 'string' && value !== '') return value;
    this.add(`${option} must be a string that is not empty`);
    return undefined;
  }

  /** @throws {TierkitError} `ERR_REDIS_OPTIONS` naming every fault added so far. */
  throwIfAny(): void {
    if (this.#faults.length === 0) return;
    throw new TierkitError('ERR_REDIS_OPTIONS', `Redis options: ${this.#faults.join('; ')}`, {
      details: { faults: [...this.#faults] },
    });
  }
}
