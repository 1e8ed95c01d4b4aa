import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { ask, startRedis, type StandaloneRedis } from '../../../test/servers/index.ts';
import { sleep } from '../../../test/support/sleep.ts';
import { codesOf, endAll, expectExclusion, startContenders, storm } from './safety/arena.ts';
import type { ContenderProcess } from './safety/contender-process.ts';
import { longestGapMs } from './safety/journal.ts';

const ends: (() => unknown)[] = [];
let servers: readonly StandaloneRedis[];
let contenders: readonly ContenderProcess[];
const order = { callers: 3, ttl: 800, holdMs: 1, giveUp: 0 };

beforeAll(async () => {
  contenders = await startContenders(ends);
  servers = await Promise.all([startRedis(), startRedis(), startRedis()]);
  ends.push(() => Promise.all(servers.map((each) => each.stop())));
  const quorum = servers.map(({ url }) => url);
  const store = { url: inject('redisUrl'), prefix: 'quorum:' };
  await Promise.all(contenders.map((each) => each.start({ quorum }, store)));
});
afterAll(() => endAll(ends));

it('excludes holders with the node that orders its contenders', async () => {
  const { journal, outcomes } = await storm({ ...order, name: 'in order', ms: 300, atLeast: 10 }, contenders);
  expectExclusion(journal);
  expect(codesOf(outcomes)).toEqual(['done']);
});

it('drains where votes split three ways, as nobody orders them', async () => {
  // All nodes give votes, but the one that gives turns cannot read whose it is.
  const port = servers[0]?.port ?? 0;
  await ask(port, 'SET', 'turn:lock:{split}', 'no lock');
  const { journal, outcomes } = await storm({ ...order, name: 'split', ms: 300, atLeast: 10 }, contenders);
  expect(await ask(port, 'GET', 'turn:lock:{split}')).toBe('no lock');
  expectExclusion(journal);
  expect(codesOf(outcomes)).toEqual(['done']);
  expect(new Set(journal.map(({ by }) => by)).size).toBe(3);
  // Votes that block each other would last for their time to live.
  expect(longestGapMs(journal)).toBeLessThan(800);
});

it('excludes holders while the node that orders them is away, and when it is back', async () => {
  const [first] = servers as [StandaloneRedis];
  const whole = storm({ ...order, name: 'unordered', ms: 1_400, atLeast: 15 }, contenders);
  await sleep(100);
  await first.process.end('SIGKILL');
  const downNs = process.hrtime.bigint();
  // Longer than any vote that it had given could last.
  await sleep(900);
  const upNs = process.hrtime.bigint();
  await first.process.start();
  const { journal } = await whole;
  expectExclusion(journal);
  expect(journal.filter(({ fromNs }) => fromNs > downNs && fromNs < upNs).length).toBeGreaterThan(0);
});

it('leaves no rejection unhandled', async () => {
  await Promise.all(contenders.map((each) => each.ask('close')));
  expect(await Promise.all(contenders.map((each) => each.faults()))).toEqual([[], [], []]);
});
