import { Redis } from 'ioredis';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { startRedis, until, type StandaloneRedis } from '../../../test/servers/index.ts';
import { createLocks, type Locks } from '../src/index.ts';
import { ContenderProcess } from './safety/contender-process.ts';
import type { Storm, Weather } from './safety/contender.ts';
import { check, longestGapMs, type Stay } from './safety/journal.ts';

// Three processes and one Redis of their own, which several scenarios share one after the other.
let server: StandaloneRedis;
let contenders: ContenderProcess[];
let observer: Locks;
let admin: Redis;
const contender = (i: number): ContenderProcess => contenders[i] as ContenderProcess;

beforeAll(async () => {
  contenders = ['one', 'two', 'three'].map((name) => new ContenderProcess(name));
  server = await startRedis();
  // What the locks protect is elsewhere, so that it goes on when the locks' server does not.
  await Promise.all(contenders.map((each) => each.start({ redis: server.url }, inject('redisUrl'))));
  observer = createLocks({ redis: server.url });
  await observer.ready();
  admin = new Redis(server.url, { protocol: 2, retryStrategy: () => 100 });
  admin.on('error', () => {});
});
afterAll(async () => {
  admin.disconnect();
  await observer.close();
  await Promise.all([...contenders.map((each) => each.stop()), server.stop()]);
});

/** How long holders are looked for that overlap: `LOCK_SOAK_MS=60000` for a minute. */
const soakMs = Number(process.env['LOCK_SOAK_MS'] ?? 500);
const calm = { atLeast: 20, callers: 6, ttl: 2_000, holdMs: 2, giveUp: 0 } as const;

async function storm(order: Storm, among: readonly ContenderProcess[] = contenders): Promise<Weather> {
  const weathers = await Promise.all(among.map((each) => each.ask('storm', order)));
  const outcomes: Record<string, number> = {};
  for (const weather of weathers) {
    for (const [outcome, count] of Object.entries(weather.outcomes)) {
      outcomes[outcome] = (outcomes[outcome] ?? 0) + count;
    }
  }
  return { journal: weathers.flatMap(({ journal }) => journal), outcomes };
}

function expectExclusion(journal: readonly Stay[]): void {
  expect(check(journal)).toEqual({ overlaps: [], disorder: [] });
}

/** How calls ended, but for those to which Redis did not answer in time, on a machine that is very busy. */
function codesOf(outcomes: Weather['outcomes']): readonly string[] {
  return Object.keys(outcomes)
    .filter((code) => code !== 'ERR_LOCK_UNAVAILABLE')
    .toSorted();
}

async function expectNothingLeft(name: string): Promise<void> {
  await until(`nothing is left of ${name}`, async () => {
    const { holders, waiting } = await observer.inspect(name);
    return holders.length === 0 && waiting === 0;
  });
}

it('finds overlaps and tokens out of order in a journal', () => {
  const stay = (fromNs: bigint, untilNs: bigint, token: bigint): Stay => ({ by: 'x', fromNs, untilNs, token });
  expect(check([stay(5n, 9n, 2n), stay(0n, 5n, 1n)])).toEqual({ overlaps: [], disorder: [] });
  expect(check([stay(0n, 6n, 1n), stay(5n, 9n, 2n)]).overlaps).toHaveLength(1);
  expect(check([stay(0n, 9n, 1n), stay(1n, 2n, 2n), stay(5n, 6n, 3n)]).overlaps).toHaveLength(2);
  expect(check([stay(0n, 1n, 2n), stay(2n, 3n, 2n)]).disorder).toHaveLength(1);
});

it(
  'excludes holders of several processes while waiters give up at the moment of their turn',
  async () => {
    const { journal, outcomes } = await storm({ ...calm, name: 'given up', ms: soakMs, giveUp: 0.6 });
    expectExclusion(journal);
    expect(outcomes['ERR_LOCK_ABORTED']).toBeGreaterThan(10);
    expect(codesOf(outcomes)).toEqual(['ERR_LOCK_ABORTED', 'done']);
    await expectNothingLeft('given up');
  },
  soakMs + 30_000,
);

it('refuses what a holder writes that slept beyond its time to live', async () => {
  const [sleeper, next] = [contender(0), contender(1)];
  const token = await sleeper.ask('hold', 'slept', 300);
  expect(await sleeper.ask('write', 'slept')).toBe(true);
  sleeper.signal('SIGSTOP');
  const greater = await next.ask('hold', 'slept', 5_000);
  expect(greater).toBeGreaterThan(token);
  expect(await next.ask('write', 'slept')).toBe(true);
  sleeper.signal('SIGCONT');
  expect(await sleeper.ask('write', 'slept')).toBe(false);
  expect(await sleeper.ask('report', 'slept')).toMatchObject({ held: false, abortedWith: 'ERR_LOCK_LOST' });
  expect(await sleeper.ask('release', 'slept')).toBe(false);
  expect((await observer.inspect('slept')).holders).toMatchObject([{ token: greater }]);
  expect(await next.ask('write', 'slept')).toBe(true);
  expect(await next.ask('release', 'slept')).toBe(true);
});

it('gives away all places of a process that froze, after one turn of it', async () => {
  const [holder, frozen, next] = contenders as [ContenderProcess, ContenderProcess, ContenderProcess];
  await holder.ask('hold', 'frozen', 20_000);
  await frozen.ask('beginToWait', 'frozen', 8);
  const waits = next.ask('hold', 'frozen', 20_000);
  await until('all wait', async () => (await observer.inspect('frozen')).waiting === 9);
  frozen.signal('SIGSTOP');
  const begunMs = performance.now();
  await holder.ask('release', 'frozen');
  const token = await waits;
  // A turn that nobody confirms lasts 500 ms: eight of them would take 4 s.
  expect(performance.now() - begunMs).toBeGreaterThan(400);
  expect(performance.now() - begunMs).toBeLessThan(2_000);
  frozen.signal('SIGCONT');
  // Its callers line up again, and nobody was there twice.
  await until('they wait again', async () => (await observer.inspect('frozen')).waiting === 8);
  expect((await observer.inspect('frozen')).holders).toMatchObject([{ token }]);
  expect(await next.ask('release', 'frozen')).toBe(true);
  await until('one of them has it', async () => (await observer.inspect('frozen')).waiting === 7);
});

it('goes on when subscribers are cut off between a turn and the news of it', async () => {
  const order: Storm = { ...calm, name: 'cut off', ms: 800, ttl: 5_000 };
  const whole = storm(order);
  for (let i = 0; i < 9; i++) {
    await sleep(70);
    await admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
  }
  const { journal, outcomes } = await whole;
  expectExclusion(journal);
  expect(longestGapMs(journal)).toBeLessThan(3_000);
  expect(codesOf(outcomes)).toEqual(['done']);
  await expectNothingLeft('cut off');
});

it('tells a holder whose key was deleted, and gives the next a greater token', async () => {
  const token = await contender(0).ask('hold', 'deleted', 900);
  await admin.del('lock:{deleted}');
  const greater = await contender(1).ask('hold', 'deleted', 5_000);
  expect(greater).toBeGreaterThan(token);
  await until('it knows', async () => !(await contender(0).ask('report', 'deleted')).held, 2_000);
  expect((await contender(0).ask('report', 'deleted')).abortedWith).toBe('ERR_LOCK_LOST');
  expect(await contender(0).ask('release', 'deleted')).toBe(false);
  expect(await contender(1).ask('release', 'deleted')).toBe(true);
});

it('aborts holders within 20 ms of their deadlines while Redis is frozen', async () => {
  const names = ['f0', 'f1', 'f2', 'f3', 'f4', 'f5'];
  await Promise.all(names.map((name, i) => contender(i % 2).ask('hold', name, 600)));
  server.process.signal('SIGSTOP');
  // Renewals that were answered before it froze have arrived by now.
  await sleep(20);
  await Promise.all(names.map((name, i) => contender(i % 2).ask('noteDeadline', name)));
  await sleep(700);
  const reports = await Promise.all(names.map((name, i) => contender(i % 2).ask('report', name)));
  server.process.signal('SIGCONT');
  const late = reports.map(({ abortedLateMs }) => abortedLateMs ?? Infinity);
  expect(reports.map(({ held }) => held)).toEqual(names.map(() => false));
  expect(Math.min(...late)).toBeGreaterThan(-2);
  expect(Math.min(...late)).toBeLessThan(20);
  // All of them, on a machine that is busy as well.
  expect(Math.max(...late)).toBeLessThan(1_000);
  await observer.ready();
  await until('they are free', async () => (await observer.inspect('f0')).holders.length === 0);
});

it('goes on after the server was killed, and keeps the store in order', async () => {
  const token = await contender(0).ask('hold', 'killed', 700);
  expect(await contender(0).ask('write', 'killed')).toBe(true);
  const weather = storm({ ...calm, name: 'killed too', ms: 1_200, atLeast: 40, ttl: 400 });
  await sleep(200);
  await server.process.end('SIGKILL');
  await server.process.start();
  const upNs = process.hrtime.bigint();
  // All data is gone: two may believe that they hold it, and the token decides.
  const greater = await contender(1).ask('hold', 'killed', 5_000);
  expect(greater).toBeGreaterThan(token);
  expect(await contender(1).ask('write', 'killed')).toBe(true);
  expect(await contender(0).ask('write', 'killed')).toBe(false);
  const { journal } = await weather;
  const { disorder } = check(journal);
  expect(disorder).toEqual([]);
  expect(journal.filter(({ fromNs }) => fromNs > upNs).length).toBeGreaterThan(10);
  await expectNothingLeft('killed too');
  expect(await contender(1).ask('release', 'killed')).toBe(true);
});

it('leaves no rejection unhandled when it is closed while it holds and waits', async () => {
  await contender(0).ask('hold', 'shut down', 5_000);
  await contender(1).ask('beginToWait', 'shut down', 3);
  await contender(2).ask('hold', 'shut down too', 400);
  const took = await Promise.all([contender(0), contender(1)].map((each) => each.ask('close')));
  server.process.signal('SIGSTOP');
  took.push(await contender(2).ask('close'));
  server.process.signal('SIGCONT');
  expect(Math.max(...took)).toBeLessThan(3_000);
  await sleep(300);
  expect(await Promise.all(contenders.map((each) => each.faults()))).toEqual([[], [], []]);
});

it('keeps a quorum exclusive with the node that orders its contenders, without it, where votes split, and when it is back', async () => {
  const servers = await Promise.all([startRedis(), startRedis(), startRedis()]);
  const [first] = servers;
  try {
    // The same processes, with other locks.
    await Promise.all(
      contenders.map((each) => each.start({ quorum: servers.map(({ url }) => url) }, inject('redisUrl'))),
    );
    const order = { callers: 3, ttl: 800, holdMs: 1, giveUp: 0 };
    const { journal } = await storm({ ...order, name: 'in order', ms: 300, atLeast: 10 });
    expectExclusion(journal);
    // Votes that block each other would last for their time to live.
    expect(longestGapMs(journal)).toBeLessThan(800);

    const whole = storm({ ...order, name: 'unordered', ms: 1_400, atLeast: 15 });
    await sleep(100);
    await first.process.end('SIGKILL');
    const downNs = process.hrtime.bigint();
    // Longer than any vote that it had given could last.
    await sleep(900);
    const upNs = process.hrtime.bigint();
    await first.process.start();
    const all = (await whole).journal;
    expectExclusion(all);
    expect(all.filter(({ fromNs }) => fromNs > downNs && fromNs < upNs).length).toBeGreaterThan(0);
    expect(await Promise.all(contenders.map((each) => each.faults()))).toEqual([[], [], []]);
  } finally {
    await Promise.all(contenders.map((each) => each.ask('close')));
    await Promise.all(servers.map((each) => each.stop()));
  }
});
