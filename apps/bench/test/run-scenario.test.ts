import { expect, test } from 'vitest';
import { readsOf } from '../src/run-scenario.ts';
import type { OpenSubject } from '../src/subject.ts';

const single: OpenSubject = {
  read: async (key) => key,
  write: async () => undefined,
  close: async () => undefined,
};
const keys = ['a', 'b', 'c', 'd', 'e'];
const values = [1, 2, 3, 4, 5];
const load = async (): Promise<never> => {
  throw new Error('not needed');
};

test('a read of several keys is named by the first, and asks for all of them', async () => {
  const reads = readsOf({ ...single, readMany: async (asked) => asked }, keys, values, 2);
  expect(reads?.keys).toEqual(['a', 'c', 'e']);
  expect(reads?.values).toEqual([[1, 2], [3, 4], [5]]);
  expect(await reads?.open.read('c', load)).toEqual(['c', 'd']);
});

test('without a batch a read is a key, and whoever cannot read several takes no part', () => {
  expect(readsOf(single, keys, values, undefined)).toEqual({ open: single, keys, values });
  expect(readsOf(single, keys, values, 2)).toBeUndefined();
});
