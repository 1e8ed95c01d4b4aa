import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { startRedis, until, type StandaloneRedis } from '../../../test/servers/index.ts';
import { createLocks } from '../src/index.ts';
import { ContenderProcess } from './safety/contender-process.ts';
import type { Storm } from './safety/contender.ts';
import { check, longestGapMs, type Stay } from './safety/journal.ts';

let servers: StandaloneRedis[];
let contenders: ContenderProcess[];
const quorum = (): string[] => servers.map(({ url }) => url);
const server = (i: number): StandaloneRedis => servers[i] as StandaloneRedis;

beforeAll(async () => {
  contenders = ['one', 'two', 'three'].map((name) => new ContenderProcess(name));
  servers = await Promise.all([startRedis(), startRedis(), startRedis()]);
  await Promise.all(contenders.map((each) => each.start({ quorum: quorum() }, inject('redisUrl'))));
});
afterAll(() => Promise.all([...contenders, ...servers].map((each) => each.stop())));

async function storm(order: Pick<Storm, 'name' | 'ms' | 'atLeast'>): Promise<readonly Stay[]> {
  const whole = { callers: 3, ttl: 800, holdMs: 1, giveUp: 0, ...order };
  return (await Promise.all(contenders.map((each) => each.ask('storm', whole)))).flatMap(({ journal }) => journal);
}

it('lets contenders of several processes in one after the other, without a stall', async () => {
  const journal = await storm({ name: 'in order', ms: 400, atLeast: 10 });
  expect(check(journal)).toEqual({ overlaps: [], disorder: [] });
  // Votes that block each other would last for their time to live.
  expect(longestGapMs(journal)).toBeLessThan(800);
});

it('goes on without the node that orders them, where votes split, and when it is back', async () => {
  const whole = storm({ name: 'unordered', ms: 1_800, atLeast: 20 });
  await sleep(200);
  await server(0).process.end('SIGKILL');
  const downNs = process.hrtime.bigint();
  // Longer than any vote that it had given could last.
  await sleep(1_000);
  const upNs = process.hrtime.bigint();
  await server(0).process.start();
  const journal = await whole;
  expect(check(journal)).toEqual({ overlaps: [], disorder: [] });
  const meanwhile = journal.filter(({ fromNs }) => fromNs > downNs && fromNs < upNs);
  expect(meanwhile.length).toBeGreaterThan(0);
  expect(journal.filter(({ fromNs }) => fromNs > upNs).length).toBeGreaterThan(10);
});

it('says that there is no quorum, and holds nothing back, when most nodes are away', async () => {
  const locks = createLocks({ quorum: quorum() });
  await locks.ready();
  const held = await locks.acquire('most are away', { ttl: 1_500 });
  server(1).process.signal('SIGSTOP');
  await server(2).process.end('SIGKILL');
  await expect(locks.acquire('other')).rejects.toMatchObject({ code: 'ERR_LOCK_NO_QUORUM' });
  await expect(held.extend()).rejects.toMatchObject({ code: 'ERR_LOCK_NO_QUORUM' });
  await until('it is lost', () => !held.held);
  expect(held.signal.reason).toMatchObject({ code: 'ERR_LOCK_LOST' });
  server(1).process.signal('SIGCONT');
  await locks.ready();
  const again = await locks.acquire('other', { timeout: '5s' });
  expect(await again.release()).toBe(true);
  await locks.close();
});
