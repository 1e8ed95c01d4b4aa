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

function digits(value: number): string {
  const size = Math.abs(value);
  return value.toFixed(size < 10 ? 2 : size < 100 ? 1 : 0);
}
