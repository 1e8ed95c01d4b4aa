// node --conditions=@tierkit/source --import tsx bench/output.bench.ts
import { printableJson } from '../src/output/printable.ts';
import { table } from '../src/output/table.ts';

const rows = Array.from({ length: 10_000 }, (_, i) => ['session', `scope-${i}`, `user:${i}:profile`, 'org:1, people']);

function best(work: () => unknown): number {
  let least = Infinity;
  for (let i = 0; i < 7; i++) {
    const startedAt = performance.now();
    work();
    least = Math.min(least, performance.now() - startedAt);
  }
  return least;
}

const lines = {
  table: () => table(['TIER', 'SCOPE', 'KEY', 'TAGS'], rows),
  printableJson: () => printableJson(rows, 2),
  'JSON.stringify': () => JSON.stringify(rows, null, 2),
};
for (const [name, work] of Object.entries(lines)) {
  process.stdout.write(`${name.padEnd(16)} ${best(work).toFixed(1)} ms for ${rows.length} rows\n`);
}
