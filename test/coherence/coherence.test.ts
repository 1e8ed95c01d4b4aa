import { expect, it } from 'vitest';
import { staleReads } from './history.ts';
import { runCoherence, type CoherenceReport, type CoherenceRun } from './run.ts';

const seed = Number(process.env['COHERENCE_SEED'] ?? Math.floor(Math.random() * 1_000_000));

async function run(options: Omit<CoherenceRun, 'seed'>): Promise<CoherenceReport> {
  process.stdout.write(`coherence on ${options.topology}, seed ${seed}\n`);
  return runCoherence({ seed, ...options });
}

it.each(['standalone', 'cluster'] as const)(
  'shows no stale value on %s while connections and servers die',
  async (topology) => {
    const report = await run({ topology, seconds: 8, least: { reads: 2_000, faults: 6 } });
    expect(report.stale).toEqual([]);
    expect(report.different).toEqual([]);
  },
);

it.each(['token', 'flush', 'tags'] as const)('notices when the %s is switched off', async (sabotage) => {
  const report = await run({ topology: 'standalone', seconds: 60, sabotage, restarts: false, untilFound: true });
  expect(report.stale.length + report.different.length).toBeGreaterThan(0);
});

it('counts a read as stale only if a later change was confirmed well before it', () => {
  const first = { key: 'k', value: '1', startMs: 0, endMs: 10 };
  const second = { key: 'k', value: '2', startMs: 20, endMs: 30 };
  const removal = { key: 'k', value: undefined, startMs: 40, endMs: 50 };
  const at = (value: string, startMs: number) => ({ key: 'k', value, startMs, by: 'w' });
  const stale = (changes: readonly Parameters<typeof staleReads>[0][number][], value: string, startMs: number) =>
    staleReads(changes, [at(value, startMs)], 100).length;
  expect(stale([first, second], '1', 125)).toBe(0);
  expect(stale([first, second], '1', 131)).toBe(1);
  expect(stale([first, second], '2', 500)).toBe(0);
  expect(stale([first, second, removal], '2', 500)).toBe(1);
  expect(stale([first, { ...second, endMs: Infinity }], '1', 500)).toBe(0);
  // Concurrent changes have no order.
  expect(stale([first, { ...second, startMs: 5 }], '1', 500)).toBe(0);
  // A load that began before a change must not come after it.
  expect(stale([{ ...first, loaded: true, endMs: Infinity }, second], '1', 500)).toBe(1);
});
