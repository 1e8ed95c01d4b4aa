import { expect, it } from 'vitest';
import { until } from '../../../test/servers/index.ts';
import { sleep } from '../../../test/support/sleep.ts';
import { calm, codesOf, expectExclusion, expectExclusionBut, storm, useArena } from './safety/arena.ts';
import type { ContenderProcess } from './safety/contender-process.ts';
import { check, gapsMs, longestGapMs, type Stay } from './safety/journal.ts';

const arena = useArena();
const { contender } = arena;

/** How long holders are looked for that overlap: `LOCK_SOAK_MS=60000` for a minute. */
const soakMs = Number(process.env['LOCK_SOAK_MS'] ?? 500);

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
    const order = { ...calm, name: 'given up', ms: soakMs, giveUp: 0.6 };
    const { journal, outcomes } = await storm(order, arena.contenders);
    expectExclusion(journal);
    expect(outcomes['ERR_LOCK_ABORTED']).toBeGreaterThan(10);
    expect(codesOf(outcomes)).toEqual(['ERR_LOCK_ABORTED', 'done']);
    // A turn that is not passed on lasts 500 ms; that a busy machine holds everybody up for so long is rare.
    const standstills = gapsMs(journal).filter((ms) => ms > 450).length;
    expect(standstills / journal.length).toBeLessThan(0.05);
    await arena.nothingLeft('given up');
  },
  soakMs + 30_000,
);

it('refuses all that a holder writes that slept beyond its time to live, and what it releases', async () => {
  const sleeper = contender(0);
  const token = await sleeper.ask('hold', 'slept', 300);
  expect(await sleeper.ask('write', 'slept', 5)).toBe(5);
  sleeper.signal('SIGSTOP');
  const order = { ...calm, name: 'slept', ms: 600, atLeast: 30, ttl: 5_000, writes: true };
  const whole = storm(order, [contender(1), contender(2)]);
  await until('others have written', async () => (await arena.written('slept')) > token);
  sleeper.signal('SIGCONT');
  expect(await sleeper.ask('write', 'slept', 50)).toBe(0);
  const { stay, ...report } = await sleeper.ask('report', 'slept');
  expect(report).toMatchObject({ held: false, abortedWith: 'ERR_LOCK_LOST' });
  expect(await sleeper.ask('release', 'slept')).toBe(false);
  const { journal, outcomes } = await whole;
  expectExclusion([stay, ...journal]);
  expect(codesOf(outcomes)).toEqual(['done']);
  await arena.nothingLeft('slept');
});

it('gives away all places of a process that froze, after one turn of it', async () => {
  const [holder, frozen, next] = arena.contenders as [ContenderProcess, ContenderProcess, ContenderProcess];
  await holder.ask('hold', 'frozen', 20_000);
  await frozen.ask('beginToWait', 'frozen', 8);
  const waits = next.ask('hold', 'frozen', 20_000);
  await until('all wait', async () => (await arena.observer.inspect('frozen')).waiting === 9);
  frozen.signal('SIGSTOP');
  const begunMs = performance.now();
  await holder.ask('release', 'frozen');
  const token = await waits;
  // A turn that nobody confirms lasts 500 ms: eight of them would take 4 s.
  expect(performance.now() - begunMs).toBeGreaterThan(400);
  expect(performance.now() - begunMs).toBeLessThan(2_000);
  frozen.signal('SIGCONT');
  // Its callers line up again, and nobody was there twice.
  await until('they wait again', async () => (await arena.observer.inspect('frozen')).waiting === 8);
  expect((await arena.observer.inspect('frozen')).holders).toMatchObject([{ token }]);
  expect(await next.ask('release', 'frozen')).toBe(true);
  await until('one of them has it', async () => (await arena.observer.inspect('frozen')).waiting === 7);
  const reports = await Promise.all([holder, next].map((each) => each.ask('report', 'frozen')));
  expectExclusion(reports.map(({ stay }) => stay));
});

it('goes on when subscribers are cut off again and again', async () => {
  const whole = storm({ ...calm, name: 'cut off', ms: 800, ttl: 5_000 }, arena.contenders);
  for (let i = 0; i < 9; i++) {
    await sleep(70);
    await arena.admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
  }
  const { journal, outcomes } = await whole;
  expectExclusion(journal);
  expect(longestGapMs(journal)).toBeLessThan(3_000);
  expect(codesOf(outcomes)).toEqual(['done']);
  await arena.nothingLeft('cut off');
});

it('goes on when a subscriber is cut off between its turn and the news of it', async () => {
  const [holder, next, deaf] = arena.contenders as [ContenderProcess, ContenderProcess, ContenderProcess];
  await holder.ask('hold', 'unheard', 20_000);
  const waiting = async (count: number): Promise<void> =>
    until(`${count} wait`, async () => (await arena.observer.inspect('unheard')).waiting === count);
  const deafs = deaf.ask('hold', 'unheard', 20_000).then(() => deaf);
  await waiting(1);
  const nexts = next.ask('hold', 'unheard', 20_000).then(() => next);
  await waiting(2);
  arena.proxy.drop('down');
  expect(await holder.ask('release', 'unheard')).toBe(true);
  const [turn] = (await arena.observer.inspect('unheard')).holders;
  expect(turn).toMatchObject({ owner: expect.stringMatching(/^three-/), token: undefined });
  // Connections that missed something are reset.
  await arena.proxy.normal();
  const begunMs = performance.now();
  const first = await Promise.race([deafs, nexts]);
  expect(await first.ask('release', 'unheard')).toBe(true);
  const second = await (first === deaf ? nexts : deafs);
  // Far from the 20 s for which whoever is not heard of keeps the lock.
  expect(performance.now() - begunMs).toBeLessThan(8_000);
  expect(await second.ask('release', 'unheard')).toBe(true);
  const reports = await Promise.all(arena.contenders.map((each) => each.ask('report', 'unheard')));
  expectExclusion(reports.map(({ stay }) => stay));
  await arena.nothingLeft('unheard');
});

it('has no effect on a lock what those do to it who do not own it', async () => {
  const owners = [contender(0), contender(1)];
  const [{ journal, outcomes }, { attempts, effects }] = await Promise.all([
    storm({ ...calm, name: 'intruded', ms: 500, holdMs: 5, ttl: 5_000 }, owners),
    contender(2).ask('intrude', 'intruded', 400),
  ]);
  expect(attempts).toBeGreaterThan(10);
  expect(effects).toBe(0);
  expectExclusion(journal);
  expect(codesOf(outcomes)).toEqual(['done']);
  await arena.nothingLeft('intruded');
});

it('tells a holder whose key was deleted, and refuses what it writes until it knows', async () => {
  const [believer, ...others] = arena.contenders as [ContenderProcess, ...ContenderProcess[]];
  const token = await believer.ask('hold', 'deleted', 900);
  expect(await believer.ask('write', 'deleted', 1)).toBe(1);
  await arena.admin.del('lock:{deleted}');
  const whole = storm({ ...calm, name: 'deleted', ms: 400, ttl: 5_000, writes: true }, others);
  await until('others have written', async () => (await arena.written('deleted')) > token);
  expect(await believer.ask('write', 'deleted', 20)).toBe(0);
  await until('it knows', async () => !(await believer.ask('report', 'deleted')).held, 2_000);
  const { stay, abortedWith } = await believer.ask('report', 'deleted');
  expect(abortedWith).toBe('ERR_LOCK_LOST');
  expect(await believer.ask('release', 'deleted')).toBe(false);
  const { journal, outcomes } = await whole;
  expectExclusionBut([stay, ...journal], (each) => each.token === token);
  expect(codesOf(outcomes)).toEqual(['done']);
  await arena.nothingLeft('deleted');
});

it('aborts all holders within 20 ms of their deadlines while Redis is frozen, before anybody else has their locks', async () => {
  const names = ['f0', 'f1', 'f2', 'f3', 'f4', 'f5'];
  const holder = (i: number): ContenderProcess => contender(i % 3);
  const next = (i: number): ContenderProcess => contender((i + 1) % 3);
  await Promise.all(names.map((name, i) => holder(i).ask('hold', name, 600)));
  const waits = names.map((name, i) => next(i).ask('hold', name, 5_000));
  await Promise.all(
    names.map((name) => until('it is waited for', async () => (await arena.observer.inspect(name)).waiting === 1)),
  );
  arena.server.process.signal('SIGSTOP');
  const aborted = (): Promise<boolean[]> => Promise.all(names.map((name, i) => holder(i).ask('aborted', name)));
  await until('all are aborted', async () => !(await aborted()).includes(false));
  arena.server.process.signal('SIGCONT');
  const reports = await Promise.all(names.map((name, i) => holder(i).ask('report', name)));
  for (const { abortedLateMs = Infinity, controlLateMs = 0, abortedWith } of reports) {
    expect(abortedWith).toBe('ERR_LOCK_LOST');
    expect(abortedLateMs).toBeGreaterThan(-2);
    // However busy the machine is: what a timer of the same process for the same moment was late by is not the lock's doing.
    expect(abortedLateMs - Math.max(0, controlLateMs)).toBeLessThan(20);
  }
  await Promise.all(waits);
  for (const [i, name] of names.entries()) {
    const { stay } = await next(i).ask('report', name);
    expectExclusion([reports[i]?.stay ?? stay, stay]);
    expect(await next(i).ask('release', name)).toBe(true);
  }
  await Promise.all(names.map((name) => arena.nothingLeft(name)));
});

it('goes on after the server was killed, and keeps the store in order', async () => {
  const token = await contender(0).ask('hold', 'killed', 700);
  expect(await contender(0).ask('write', 'killed', 1)).toBe(1);
  const whole = storm({ ...calm, name: 'killed too', ms: 1_200, atLeast: 40, ttl: 400 }, arena.contenders);
  await sleep(200);
  await arena.server.process.end('SIGKILL');
  await arena.server.process.start();
  const [seconds, micros] = (await arena.admin.time()) as unknown as [string, string];
  const upToken = BigInt(seconds) * 1_000_000n + BigInt(micros);
  // All data is gone: two may believe that they hold it, and the token decides.
  const greater = await contender(1).ask('hold', 'killed', 5_000);
  expect(greater).toBeGreaterThan(token);
  expect(await contender(1).ask('write', 'killed', 1)).toBe(1);
  expect(await contender(0).ask('write', 'killed', 20)).toBe(0);
  const { journal } = await whole;
  expectExclusionBut(journal, (stay) => stay.token < upToken);
  expect(journal.filter((stay) => stay.token > upToken).length).toBeGreaterThan(10);
  await arena.nothingLeft('killed too');
  expect(await contender(1).ask('release', 'killed')).toBe(true);
});

it('leaves no rejection unhandled, and lets nobody in beside others, when it is closed while it holds and waits', async () => {
  await contender(0).ask('hold', 'shut down', 5_000);
  await contender(1).ask('beginToWait', 'shut down', 3);
  await contender(2).ask('hold', 'shut down too', 400);
  const whole = storm({ ...calm, name: 'shut down in', ms: 500, ttl: 5_000, holdMs: 5 }, arena.contenders);
  await until('they are at it', async () => (await arena.observer.inspect('shut down in')).waiting > 0);
  const took = [await contender(0).ask('close')];
  await sleep(100);
  took.push(await contender(1).ask('close'));
  const { journal, outcomes } = await whole;
  expectExclusion(journal);
  expect(codesOf(outcomes)).toEqual(['ERR_LOCK_CLOSED', 'done']);
  await arena.nothingLeft('shut down in');
  arena.server.process.signal('SIGSTOP');
  took.push(await contender(2).ask('close'));
  arena.server.process.signal('SIGCONT');
  expect(Math.max(...took)).toBeLessThan(3_000);
  await sleep(300);
  expect(await Promise.all(arena.contenders.map((each) => each.faults()))).toEqual([[], [], []]);
});
