/** Nanoseconds of one call, the best of several rounds. */
export function nanoseconds(call: (i: number) => unknown, calls: number): number {
  let best = Number.POSITIVE_INFINITY;
  let kept: unknown;
  for (let round = 0; round < 8; round++) {
    const start = performance.now();
    for (let i = 0; i < calls; i++) kept = call(i & 31);
    best = Math.min(best, ((performance.now() - start) * 1e6) / calls);
  }
  if (kept === Symbol.for('never')) throw new Error('unreachable');
  return best;
}

export function print(title: string, table: Readonly<Record<string, number>>, base: string): void {
  const baseNs = table[base] ?? Number.NaN;
  process.stdout.write(`\n${title}\n`);
  for (const [name, ns] of Object.entries(table)) {
    process.stdout.write(`  ${name.padEnd(28)}${ns.toFixed(0).padStart(9)} ns  x${(ns / baseNs).toFixed(2)}\n`);
  }
}
