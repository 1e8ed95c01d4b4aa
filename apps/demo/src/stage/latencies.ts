export interface Latencies {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly longest: number;
  readonly total: number;
}

/** Sums up call times in milliseconds; percentiles are nearest-rank. */
export function latencies(times: readonly number[]): Latencies {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
  const total = sorted.reduce((sum, each) => sum + each, 0);
  return { count: sorted.length, p50: at(0.5), p99: at(0.99), longest: at(1), total };
}

/** A duration with three digits that matter: `12.3 µs`, `1.20 ms`, `3.40 s`. */
export function duration(ms: number): string {
  if (Math.abs(ms) < 0.9995) return `${digits(ms * 1_000)} µs`;
  return ms < 999.5 ? `${digits(ms)} ms` : `${digits(ms / 1_000)} s`;
}

/** A share as a percentage; rounds down, so that only all of it is 100 %. */
export function percent(share: number): string {
  const tenths = Math.floor(share * 1_000) / 10;
  return `${Number.isInteger(tenths) ? tenths : tenths.toFixed(1)} %`;
}

/** Parts of a whole as percentages with one decimal that add up: what rounding down loses goes to the largest rests. */
export function shares(parts: readonly number[]): string[] {
  const whole = parts.reduce((sum, part) => sum + part, 0);
  const exact = parts.map((part) => (whole === 0 ? 0 : (part / whole) * 1_000));
  const tenths = exact.map(Math.floor);
  const lost = whole === 0 ? 0 : 1_000 - tenths.reduce((sum, each) => sum + each, 0);
  const byRest = exact
    .map((each, index) => ({ index, rest: each % 1 }))
    .sort((a, b) => b.rest - a.rest || b.index - a.index);
  for (const { index } of byRest.slice(0, lost)) tenths[index] = (tenths[index] ?? 0) + 1;
  return tenths.map((each) => `${(each / 10).toFixed(1)} %`);
}

function digits(value: number): string {
  const size = Math.abs(value);
  return value.toFixed(size < 10 ? 2 : size < 100 ? 1 : 0);
}
