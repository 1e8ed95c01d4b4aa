import { expect, test } from 'vitest';
import { bytesPerEntry } from '../src/bytes-per-entry.ts';

test('counts what grows with the entries, and neither what a cache costs nor what is set up once', async () => {
  let held = 5_000;
  let caches = 0;
  const fill = async (entries: number): Promise<{ close(): Promise<void> }> => {
    if (caches++ === 0) held += 70_000;
    const bytes = 30_000 + entries * 123;
    held += bytes;
    return {
      close: async () => {
        held -= bytes;
      },
    };
  };
  expect(await bytesPerEntry(fill, 1_000, async () => held)).toBe(123);
  expect(held).toBe(75_000);
});
