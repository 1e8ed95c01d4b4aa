/** A median with an interval that holds the true one with about 95 % probability, whatever the distribution. */
export interface Median {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** The median of at least one number; the interval is made of order statistics. */
export function median(values: readonly number[]): Median {
  if (values.length === 0) throw new RangeError('no values to take the median of');
  const sorted = values.toSorted((a, b) => a - b);
  const at = (index: number): number => sorted[Math.min(sorted.length - 1, Math.max(0, index))] ?? Number.NaN;
  const middle = (sorted.length - 1) / 2;
  const reach = 0.98 * Math.sqrt(sorted.length);
  return {
    value: (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2,
    low: at(Math.floor(middle - reach)),
    high: at(Math.ceil(middle + reach)),
  };
}
