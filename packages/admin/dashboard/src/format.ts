const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const oneDigit = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });
const percentage = new Intl.NumberFormat('en', { style: 'percent', maximumFractionDigits: 1 });
const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });

export function count(value: number): string {
  return value < 10_000_000 ? whole.format(value) : `${oneDigit.format(value / 1_000_000)} M`;
}

export function rate(perSecond: number): string {
  return perSecond < 10 ? oneDigit.format(perSecond) : count(perSecond);
}

export function percent(share: number): string {
  return percentage.format(share);
}

export function bytes(value: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let unit = 0;
  let left = value;
  while (left >= 1_000 && unit < units.length - 1) {
    left /= 1_000;
    unit++;
  }
  return `${oneDigit.format(left)} ${units[unit]}`;
}

/** A time span, in the unit that suits it. */
export function span(ms: number): string {
  if (ms < 1) return `${whole.format(ms * 1_000)} µs`;
  if (ms < 1_000) return `${oneDigit.format(ms)} ms`;
  const seconds = Math.floor(ms / 1_000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  const hours = Math.floor(seconds / 3_600);
  return hours < 48
    ? `${hours} h ${Math.floor((seconds % 3_600) / 60)} min`
    : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

export function timeOfDay(at: number): string {
  return clock.format(at);
}
