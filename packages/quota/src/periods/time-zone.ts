/** A time zone by its IANA name. "Wall time" is what a clock shows there, as the instant at which UTC shows the same. */
export interface TimeZone {
  readonly name: string;
  /** Wall time minus UTC at an instant, in milliseconds. */
  offsetMs(instantMs: number): number;
}

const DAY_MS = 86_400_000;

/** @throws {RangeError} there is no such zone */
export function openTimeZone(name: string): TimeZone {
  if (name === 'UTC') return { name, offsetMs: () => 0 };
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: name,
    calendar: 'gregory',
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  return {
    name,
    offsetMs(instantMs) {
      const shown = { year: 0, month: 0, day: 0, hour: 0, minute: 0, second: 0 };
      for (const { type, value } of format.formatToParts(instantMs)) {
        if (Object.hasOwn(shown, type)) shown[type as keyof typeof shown] = Number(value);
      }
      const { year, month, day, hour, minute, second } = shown;
      return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(instantMs / 1_000) * 1_000;
    },
  };
}

/**
 * The first instant at which the zone's clocks show this wall time or a later one: the first of two when they were put
 * back over it, the moment of the change when they were put forward over it.
 */
export function instantOf(wallMs: number, zone: TimeZone): number {
  const before = zone.offsetMs(wallMs - DAY_MS);
  const after = zone.offsetMs(wallMs + DAY_MS);
  const earliest = wallMs - Math.max(before, after);
  if (before === after || earliest + zone.offsetMs(earliest) >= wallMs) return earliest;
  let low = earliest;
  let high = wallMs - Math.min(before, after);
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (middle + zone.offsetMs(middle) >= wallMs) high = middle;
    else low = middle;
  }
  return high;
}
