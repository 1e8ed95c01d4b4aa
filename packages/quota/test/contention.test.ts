import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { bundle } from '../../../test/support/bundle.ts';
import { sharedRedis } from '../../../test/support/shared-redis.ts';
import { createQuota } from '../src/index.ts';
import { ChargingProcess } from './support/charging-process.ts';

const prefix = `t${randomBytes(6).toString('hex')}:`;
const century = { name: 'century', every: '36500d' } as const;
const quota = createQuota(
  { calls: { per: century, limit: 2_000 }, tokens: { per: century, limit: 5_000 } },
  { redis: sharedRedis(), prefix },
);
let processes: readonly ChargingProcess[] = [];

beforeAll(async () => {
  const program = await bundle(fileURLToPath(new URL('support/charging-worker.ts', import.meta.url)));
  processes = Array.from({ length: 4 }, () => new ChargingProcess(program.file, inject('redisUrl'), prefix));
  await Promise.all([quota.ready(), ...processes.map((each) => each.ready())]);
  program.remove();
});
afterAll(() => Promise.all([quota.close(), ...processes.map((each) => each.stop())]));

it('four processes that charge, hold and repeat at once never exceed a limit, and end exactly at it', async () => {
  let highest = 0;
  const state = { over: false };
  const running = Promise.all(processes.map((each) => each.run('user')));
  running.then(
    () => (state.over = true),
    () => (state.over = true),
  );
  while (!state.over) {
    const { calls, tokens } = await quota.usage('user');
    highest = Math.max(highest, calls.century.used + calls.century.held);
    expect(tokens.century.used).toBeLessThanOrEqual(5_000);
  }
  const outcomes = await running;
  const sum = (pick: (outcome: (typeof outcomes)[number]) => number): number =>
    outcomes.reduce((total, outcome) => total + pick(outcome), 0);
  const { calls, tokens } = await quota.usage('user');
  expect(highest).toBeLessThanOrEqual(2_000);
  expect(calls.century).toMatchObject({ used: 2_000, held: 0, remaining: 0 });
  // What each was told that it had charged is what was counted.
  expect(sum((outcome) => outcome.calls)).toBe(2_000);
  expect(sum((outcome) => outcome.tokens)).toBe(tokens.century.used);
  // 0.25, 0.5, 0.8 and 1 of the calls; of the tokens what they have reached of 0.8 and 1.
  const ofTokens = [0.8, 1].filter((part) => tokens.century.used >= part * 5_000).length;
  expect(sum((outcome) => outcome.told)).toBe(4 + ofTokens);
}, 60_000);
