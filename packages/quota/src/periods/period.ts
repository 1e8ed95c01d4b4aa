import { parseDuration, type Duration } from '@tierkit/core';
import { CALENDAR_UNITS, type CalendarUnit } from './calendar.ts';

/**
 * When a period begins, once: `'2026-01-31'` or `'2026-01-31T06:30'` on the clocks of the time zone, or an instant. All
 * other periods begin a whole number of units before or after it.
 */
export type Anchor = string | Date;

/** A period of one's own. */
export interface PeriodDefinition<Plan = never> {
  /** What it is called in results and keys: letters, digits, `_` and `-`. */
  readonly name: string;
  /** `'day'`, `'week'`, `'month'` or `'year'`, or a fixed duration of at least a second, such as `'14d'`. */
  readonly every: Duration;
  /** @default '2001-01-01', a Monday */
  readonly anchor?: Anchor | ((plan: Plan) => Anchor);
}

/** A unit of the calendar in the quota's time zone, a duration such as `'6h'`, or a definition. */
export type Period<Plan = never> = CalendarUnit | (string & {}) | PeriodDefinition<Plan>;

/** A period that was checked. */
export interface CheckedPeriod {
  readonly name: string;
  /** A unit of the calendar, or milliseconds. */
  readonly every: CalendarUnit | number;
  readonly anchor: Anchor | ((plan: unknown) => Anchor);
}

const DEFAULT_ANCHOR = '2001-01-01';

const NAME = /^[\w-]{1,64}$/;

/** @returns the period, or what is wrong with it */
export function checkPeriod(given: unknown): CheckedPeriod | { readonly fault: string } {
  if (typeof given === 'string') {
    const every = checkEvery(given);
    return typeof every === 'object' ? every : checkName(given, every, DEFAULT_ANCHOR);
  }
  if (typeof given !== 'object' || given === null) return { fault: 'must be a text or { name, every, anchor }' };
  const { name, every: length, anchor = DEFAULT_ANCHOR, ...rest } = given as PeriodDefinition<unknown>;
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) return { fault: `${unknown} is not an option of a period` };
  const every = checkEvery(length);
  if (typeof every === 'object') return every;
  if (typeof anchor !== 'function' && anchorWallMs(anchor) === undefined) return { fault: ANCHOR_RULE };
  return checkName(name, every, anchor);
}

function checkName(
  name: unknown,
  every: CalendarUnit | number,
  anchor: CheckedPeriod['anchor'],
): CheckedPeriod | { readonly fault: string } {
  if (typeof name !== 'string' || !NAME.test(name)) return { fault: 'needs a name of letters, digits, _ and -' };
  return name === 'gauge' ? { fault: 'must not be called gauge' } : { name, every, anchor };
}

function checkEvery(every: unknown): CalendarUnit | number | { readonly fault: string } {
  if (CALENDAR_UNITS.includes(every as CalendarUnit)) return every as CalendarUnit;
  try {
    return parseDuration(every as Duration, 'every', { minMs: 1_000 });
  } catch {
    return { fault: `must be ${CALENDAR_UNITS.join(', ')} or a duration of a second or more, such as '6h'` };
  }
}

export const ANCHOR_RULE = "has an anchor that is neither a date such as '2026-01-31' or '2026-01-31T06:30' nor a Date";

const LOCAL = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2})?$/;

/** The wall time of a text, the instant of a Date; undefined for what is no anchor. */
export function anchorWallMs(anchor: unknown): number | undefined {
  if (anchor instanceof Date) return Number.isFinite(anchor.getTime()) ? anchor.getTime() : undefined;
  if (typeof anchor !== 'string' || !LOCAL.test(anchor)) return undefined;
  const wallMs = Date.parse(anchor.length === 10 ? `${anchor}T00:00Z` : `${anchor}Z`);
  // 30 February would be 2 March.
  return Number.isFinite(wallMs) && new Date(wallMs).toISOString().startsWith(anchor) ? wallMs : undefined;
}
