import { expect, test } from 'vitest';
import { fileTree } from '../src/payload.ts';

test.each([1_000, 32_000])('values of %i bytes have about that size, whatever their index', (bytes) => {
  for (let i = 0; i < 50; i++) {
    const size = JSON.stringify(fileTree(i, bytes)).length;
    expect(Math.abs(size - bytes)).toBeLessThan(150);
  }
});

test('are the same in every run and differ by index', () => {
  expect(fileTree(7, 1_000)).toEqual(fileTree(7, 1_000));
  expect(fileTree(7, 1_000)).not.toEqual(fileTree(8, 1_000));
});
