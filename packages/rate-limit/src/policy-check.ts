import { parseDuration, type Duration } from '@tierkit/core';
import type { Algorithm } from './algorithms/algorithm.ts';
import { slidingLogAlgorithm } from './algorithms/sliding-log.ts';
import { throwFaults } from './errors.ts';
import type { Policy } from './policy.ts';

export const MOST_UNITS = 1_000_000_000;
export const MOST_LOGGED = 1_000;
const NAME = /^[a-z][a-z0-9_.-]{0,63}$/i;

/** Collects what is wrong with the options of a policy, so that all of it is said at once. */
export class PolicyCheck<Name extends string> {
  readonly #options: Readonly<Record<string, unknown>>;
  readonly #what: string;
  readonly #faults: string[] = [];

  constructor(options: object, what: string, known: readonly string[]) {
    const given = typeof options === 'object' && options !== null;
    throwFaults('ERR_LIMIT_POLICY', what, given ? [] : ['an options object is needed']);
    this.#options = options as Readonly<Record<string, unknown>>;
    this.#what = what;
    for (const option of Object.keys(options)) this.not(!known.includes(option), `${option} is not an option`);
  }

  not(wrong: boolean, fault: string): void {
    if (wrong) this.#faults.push(fault);
  }

  units(option: string, most = MOST_UNITS): number {
    return this.whole(option, 1, most);
  }

  whole(option: string, least: number, most: number): number {
    const value = this.#options[option];
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= least && value <= most) return value;
    this.not(true, `${option} must be a whole number from ${least} to ${most}`);
    return least;
  }

  flag(option: string): boolean {
    const value = this.#options[option];
    this.not(value !== undefined && typeof value !== 'boolean', `${option} must be true or false`);
    return value === true;
  }

  period(): number {
    try {
      return parseDuration(this.#options['per'] as Duration, 'per');
    } catch (error) {
      this.not(true, (error as Error).message);
      return 1;
    }
  }

  made(
    kind: Policy['kind'],
    limit: number,
    perMs: number,
    worstPerWindow: number,
    algorithm: Algorithm,
    parameters: (limit: number) => readonly number[],
  ): Policy<Name> {
    const name = this.#options['name'] ?? kind;
    const named = typeof name === 'string' && NAME.test(name);
    this.not(!named, 'name must be a letter and up to 63 letters, digits, dots, dashes or underscores');
    throwFaults('ERR_LIMIT_POLICY', this.#what, this.#faults);
    const mostLimit = algorithm === slidingLogAlgorithm ? MOST_LOGGED : MOST_UNITS;
    return { name: name as Name, kind, limit, perMs, worstPerWindow, algorithm, mostLimit, parameters };
  }
}
