import { encodeSegment, parseDuration, type Duration } from '@tierkit/core';
import { limitError } from './errors.ts';
import type { ConsumeOptions } from './limiter.ts';

/** A call without options: nothing is looked at. */
export const ONE: ConsumeOptions = {};
const OPTIONS: ReadonlySet<string> = new Set<keyof ConsumeOptions>(['cost', 'id', 'plan', 'limits']);

/** @throws {TierkitError} `ERR_LIMIT_ARGUMENT`: an option that is none */
export function checkedOptions(options: ConsumeOptions): ConsumeOptions {
  if (options === ONE) return options;
  for (const name in optionsObject(options)) {
    if (!OPTIONS.has(name)) throw limitError('ERR_LIMIT_ARGUMENT', `${name} is not an option of this call`);
  }
  return options;
}

/** @throws {TierkitError} `ERR_LIMIT_ARGUMENT` */
export function optionsObject<T>(options: T): T {
  if (typeof options === 'object' && options !== null) return options;
  throw limitError('ERR_LIMIT_ARGUMENT', 'options must be an object');
}

/** @returns the subject as keys have it @throws {TierkitError} `ERR_LIMIT_ARGUMENT`, `ERR_KEY_INVALID` */
export function checkedSubject(subject: string, cost: number, id: string | undefined): string {
  if (typeof subject !== 'string' || subject === '')
    throw limitError('ERR_LIMIT_ARGUMENT', 'the subject must be a text that is not empty');
  if (!Number.isSafeInteger(cost) || cost < 1)
    throw limitError('ERR_LIMIT_ARGUMENT', 'cost must be a whole number above 0', { cost });
  if (id !== undefined && (typeof id !== 'string' || id === ''))
    throw limitError('ERR_LIMIT_ARGUMENT', 'id must be a text that is not empty');
  return encodeSegment(subject, 'subject');
}

/** @throws {TierkitError} `ERR_KEY_INVALID` */
export function encodedId(id: string | undefined): string | undefined {
  return id === undefined ? undefined : encodeSegment(id, 'id');
}

/** @throws {TierkitError} `ERR_LIMIT_ARGUMENT` */
export function argumentMs(duration: Duration, what: string, maxMs?: number): number {
  try {
    return parseDuration(duration, what, maxMs === undefined ? {} : { maxMs });
  } catch (error) {
    throw limitError('ERR_LIMIT_ARGUMENT', (error as Error).message);
  }
}
