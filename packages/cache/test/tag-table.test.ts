import { expect, it } from 'vitest';
import { sleep } from '../../../test/support/sleep.ts';
import { TagTable } from '../src/tags/tag-table.ts';

it('asks for the life of a table again before it ends ahead of what is stamped from memory', async () => {
  const table = new TagTable('t', { live: true, era: 0 });
  const asked: number[] = [];
  const ask = async (ttlMs: number) => (asked.push(ttlMs), { table: -1, at: 0 });
  await table.stamp(200, ask);
  expect(table.stamp(200, ask)).toEqual({ table: -1, at: 0 });
  expect(asked).toEqual([400]);
  await sleep(220);
  await table.stamp(200, ask);
  await table.stamp(100, ask);
  expect(asked).toEqual([400, 400]);
  await table.stamp(500, ask);
  expect(asked).toEqual([400, 400, 1_000]);
});

it('takes nothing for covered that was not confirmed, or was of another table', async () => {
  const table = new TagTable('t', { live: true, era: 0 });
  const asked: number[] = [];
  let id = -1;
  const ask = async (ttlMs: number) => (asked.push(ttlMs), { table: id, at: 0 });
  const fail = () => Promise.reject(new Error('away'));
  await table.stamp(100, ask);
  await expect(table.stamp(1_000, fail)).rejects.toThrow('away');
  await table.stamp(1_000, ask);
  expect(asked).toEqual([200, 2_000]);
  // It was lost, and made again by somebody who needs it for less.
  id = -2;
  table.learn({ table: -2, at: 0, versions: [] }, [], table.question());
  await table.stamp(1_000, ask);
  expect(asked).toEqual([200, 2_000, 2_000]);
});
