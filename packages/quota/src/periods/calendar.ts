/** A unit of the calendar; its length in hours depends on the zone and the season. */
export type CalendarUnit = 'day' | 'week' | 'month' | 'year';

export const CALENDAR_UNITS: readonly CalendarUnit[] = ['day', 'week', 'month', 'year'];

const DAY_MS = 86_400_000;

/**
 * The wall time `count` units after the anchor. Months and years keep the anchor's day where the month has it, else its
 * last day: always counted from the anchor, so that a month after 28 February can be 31 March.
 */
export function addUnits(anchorWallMs: number, unit: CalendarUnit, count: number): number {
  if (unit === 'day') return anchorWallMs + count * DAY_MS;
  if (unit === 'week') return anchorWallMs + count * 7 * DAY_MS;
  const anchor = new Date(anchorWallMs);
  const year = anchor.getUTCFullYear();
  const month = anchor.getUTCMonth() + (unit === 'month' ? count : 12 * count);
  const lastDay = new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
  const midnight = Date.UTC(year, month, Math.min(anchor.getUTCDate(), lastDay));
  return midnight + (((anchorWallMs % DAY_MS) + DAY_MS) % DAY_MS);
}

/** How many units have passed from the anchor to a wall time, give or take one. */
export function unitsBetween(anchorWallMs: number, wallMs: number, unit: CalendarUnit): number {
  if (unit === 'day') return Math.floor((wallMs - anchorWallMs) / DAY_MS);
  if (unit === 'week') return Math.floor((wallMs - anchorWallMs) / (7 * DAY_MS));
  const [from, to] = [new Date(anchorWallMs), new Date(wallMs)];
  const years = to.getUTCFullYear() - from.getUTCFullYear();
  return unit === 'year' ? years : 12 * years + to.getUTCMonth() - from.getUTCMonth();
}
