import fc from 'fast-check';
import { expect, test } from 'vitest';
import { median } from '../src/statistics.ts';

test('the median of an odd and of an even number of values', () => {
  expect(median([5, 1, 3]).value).toBe(3);
  expect(median([4, 1, 3, 2]).value).toBe(2.5);
});

test('one value is its own interval, none has no median', () => {
  expect(median([7])).toEqual({ value: 7, low: 7, high: 7 });
  expect(() => median([])).toThrow(RangeError);
});

test('one outlier moves neither the median nor its interval', () => {
  const values = Array.from({ length: 21 }, (_, i) => 100 + i);
  const disturbed = [...values.slice(0, 20), 1e9];
  expect(median(disturbed)).toEqual(median(values));
});

test('the interval lies around the median, within the values, in any order of them', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ noNaN: true, min: 0, max: 1e12 }), { minLength: 1 }), (values) => {
      const { value, low, high } = median(values);
      expect(low).toBeLessThanOrEqual(value);
      expect(high).toBeGreaterThanOrEqual(value);
      expect(values).toContain(low);
      expect(values).toContain(high);
      expect(median(values.toReversed())).toEqual({ value, low, high });
    }),
  );
});
