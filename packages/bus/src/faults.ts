import { LONGEST_TIMER_MS, parseDuration, type Duration } from '@tierkit/core';
import { busError } from './errors.ts';

/** Reads options one by one and remembers what is wrong with them, so that one error can name all of it. */
export class Faults {
  readonly #call: string;
  readonly #given: Readonly<Record<string, unknown>>;
  readonly #faults: string[] = [];

  /** @param call goes before the message */
  constructor(options: unknown, known: Readonly<Record<string, true>>, call = '') {
    this.#call = call;
    const given = typeof options === 'object' && options !== null;
    this.#given = given ? { ...options } : {};
    if (!given) this.add('an options object is needed');
    for (const name of Object.keys(this.#given)) if (!Object.hasOwn(known, name)) this.add(`${name} is not an option`);
  }

  add(fault: string): void {
    this.#faults.push(fault);
  }

  expect(holds: boolean, fault: string): void {
    if (!holds) this.add(fault);
  }

  whole(name: string, fallback: number, most = Number.MAX_SAFE_INTEGER): number {
    const value = this.#given[name] ?? fallback;
    if (Number.isSafeInteger(value) && (value as number) > 0 && (value as number) <= most) return value as number;
    this.add(`${name} must be a whole number ${most === Number.MAX_SAFE_INTEGER ? 'above 0' : `from 1 to ${most}`}`);
    return fallback;
  }

  duration(name: string, fallbackMs: number): number {
    try {
      return parseDuration((this.#given[name] as Duration | undefined) ?? fallbackMs, name, {
        maxMs: LONGEST_TIMER_MS,
      });
    } catch (error) {
      this.add(error instanceof Error ? error.message : `${name} is no duration`);
      return fallbackMs;
    }
  }

  /** An AbortSignal, also one of another realm. */
  signal(): AbortSignal | undefined {
    const signal = this.#given['signal'] as AbortSignal | null | undefined;
    if (signal === undefined || (typeof signal?.addEventListener === 'function' && 'aborted' in signal)) return signal;
    this.add('signal must be an AbortSignal');
    return undefined;
  }

  /** @throws {TierkitError} `ERR_BUS_OPTIONS` naming every fault */
  throwIfAny(): void {
    if (this.#faults.length === 0) return;
    throw busError('ERR_BUS_OPTIONS', this.#call + this.#faults.join('; '), { details: { faults: this.#faults } });
  }
}
