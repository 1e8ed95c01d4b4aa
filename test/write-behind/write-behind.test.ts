import { expect, it } from 'vitest';
import { runWriteBehind } from './run.ts';

it('brings the last acknowledged write of every key to Postgres, and none backwards, whoever is killed', async () => {
  const report = await runWriteBehind({ seed: 20261121, processes: 4, writes: 20_000, kills: 4, redisKills: 1 });
  expect(report).toMatchObject({ lost: [], different: [], backwards: 0, deadLetters: 0, kills: 5 });
  expect(report.acknowledged).toBeGreaterThanOrEqual(20_000);
  expect(report.keys).toBe(300);
  // Writes of one key went together, and some batches came again.
  expect(report.flushes).toBeGreaterThan(20);
  expect(report.takenAgain).toBeGreaterThan(0);
}, 180_000);
