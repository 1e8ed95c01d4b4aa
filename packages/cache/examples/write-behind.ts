import { createTiers, type WriteBehindItem } from '@tierkit/cache';

const tiers = createTiers({ redis: process.env['REDIS_URL'] ?? 'memory', prefix: `example-${process.pid}:` });
await tiers.ready('2s');

// A table that keeps the version of each row, and takes nothing that is older.
const rows = new Map<string, { value: unknown; version: number }>();
const flush = async (batch: readonly WriteBehindItem[]): Promise<void> => {
  console.log('a batch of', batch.length);
  for (const { scope, key, value, version } of batch) {
    const id = `${scope}/${String(key)}`;
    if ((rows.get(id)?.version ?? 0) < version) rows.set(id, { value, version });
  }
};
const queue = tiers.writeBehind('counters', { flush, batch: { age: '1m' } }); // long, for the sake of the example

const project = tiers.project('p1');
for (let visits = 1; visits <= 100; visits++) await project.writeBehind('visits', visits, queue);
await project.writeBehind('name', 'first', queue);
await project.clear();

console.log('in the table:', rows.size, 'read meanwhile:', await project.get('visits'));
console.log('drained:', await queue.drain(), 'in the table:', rows.get('p1/visits')?.value, rows.get('p1/name')?.value);

await project.deleteBehind('name', queue);
console.log('deleted:', await project.getOrSet('name', () => 'the old row'));
await tiers.close();
console.log('flushed on close:', rows.get('p1/name')?.value);
