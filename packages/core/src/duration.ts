import { parse } from '@lukeed/ms';
import { TierkitError } from './errors.ts';

/** A length of time: milliseconds as a number, or one amount with a unit: `'250ms'`, `'5m'`, `'1.5 hours'`, `'2d'`. */
export type Duration = number | string;

export interface DurationBounds {
  /** Shortest accepted, in milliseconds. */
  readonly minMs?: number;
  /** Longest accepted, in milliseconds. @default 100 years */
  readonly maxMs?: number;
}

const CENTURY_MS = 100 * 365.25 * 24 * 3_600_000;
// Lower case only: '1M' reads as a month and would be a minute.
const AMOUNT_AND_UNIT = /^\d+(?:\.\d+)? ?[a-z]+$/;

/**
 * The duration in whole milliseconds, at least 1, within `bounds`.
 *
 * A string is one amount followed by its unit in lower case (ms, s, m, h, d, w, y, or the word in full); `'5'`,
 * `'-5m'`, `'1h30m'` and `'1M'` are refused.
 *
 * @param option The name of the option, for the message.
 * @throws {TierkitError} `ERR_DURATION_INVALID`: not a duration, not above zero, or out of bounds.
 */
export function parseDuration(value: Duration, option: string, bounds: DurationBounds = {}): number {
  const exactMs = typeof value === 'number' ? value : typeof value === 'string' ? parseText(value) : Number.NaN;
  if (!Number.isFinite(exactMs) || exactMs <= 0) {
    throw invalid(value, option, "must be milliseconds above zero or one amount with a unit, like '250ms' or '5m'");
  }
  const ms = Math.max(1, Math.round(exactMs));
  const { minMs = 1, maxMs = CENTURY_MS } = bounds;
  if (ms < minMs) throw invalid(value, option, `must be at least ${minMs} ms`);
  if (ms > maxMs) throw invalid(value, option, `must be at most ${maxMs} ms`);
  return ms;
}

function parseText(text: string): number {
  return AMOUNT_AND_UNIT.test(text) ? (parse(text) ?? Number.NaN) : Number.NaN;
}

function invalid(value: unknown, option: string, rule: string): TierkitError<'ERR_DURATION_INVALID'> {
  const given = typeof value === 'string' ? JSON.stringify(value.slice(0, 40)) : String(value);
  return new TierkitError('ERR_DURATION_INVALID', `${option}: ${given} ${rule}`, { details: { option } });
}
