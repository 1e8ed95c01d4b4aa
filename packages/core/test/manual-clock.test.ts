import { expect, it } from 'vitest';
import { systemClock } from '@tierkit/core';
import { createManualClock } from '@tierkit/core/testing';

it('runs due timers in order, each at its own time, with those that they set', () => {
  const clock = createManualClock(1000);
  const ran: [string, number, number][] = [];
  const note = (name: string) => (): void => void ran.push([name, clock.now(), clock.monotonic()]);
  clock.setTimeout(note('late'), 30);
  clock.setTimeout(() => {
    note('early')();
    clock.setTimeout(note('nested'), 5);
    clock.setTimeout(note('beyond'), 500);
  }, 10);
  clock.setTimeout(note('second of a time'), 30);
  clock.setTimeout(note('cancelled'), 20).cancel();
  clock.advance(40);
  expect(ran).toEqual([
    ['early', 1010, 10],
    ['nested', 1015, 15],
    ['late', 1030, 30],
    ['second of a time', 1030, 30],
  ]);
  expect(clock.now()).toBe(1040);
  expect(clock.pendingTimers).toBe(1);
});

it('lets promises settle between timers', async () => {
  const clock = createManualClock();
  const ran: string[] = [];
  const sleep = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      clock.setTimeout(resolve, ms);
    });
  const work = async (): Promise<void> => {
    await sleep(10);
    ran.push(`first at ${clock.now()}`);
    await sleep(10);
    ran.push(`second at ${clock.now()}`);
  };
  const done = work();
  await clock.advanceAsync(25);
  expect(ran).toEqual(['first at 10', 'second at 20']);
  await done;
});

it('sets the wall clock alone', () => {
  const clock = createManualClock(5000);
  clock.advance(10);
  clock.setNow(100);
  expect([clock.now(), clock.monotonic()]).toEqual([100, 10]);
  clock.advance(1);
  expect([clock.now(), clock.monotonic()]).toEqual([101, 11]);
  expect(() => clock.advance(-1)).toThrow(RangeError);
});

it('the system clock does not fire a timer of a year at once', async () => {
  let fired = 0;
  const year = systemClock.setTimeout(() => void fired++, 365 * 86_400_000);
  const short = systemClock.setTimeout(() => void fired++, 1);
  await new Promise((resolve) => setTimeout(resolve, 30));
  expect(fired).toBe(1);
  year.cancel();
  short.cancel();
});

it('the system clock fires no timer early, as Node does by parts of a millisecond', async () => {
  const waits = Array.from({ length: 300 }, async () => {
    await new Promise((resolve) => setTimeout(resolve, 50 * Math.random()));
    const setMs = performance.now();
    return new Promise<number>((resolve) => {
      systemClock.setTimeout(() => resolve(performance.now() - setMs), 5.5);
      // It keeps the process awake, which the other does not.
      setTimeout(() => undefined, 100);
    });
  });
  expect(Math.min(...(await Promise.all(waits)))).toBeGreaterThanOrEqual(5.5);
});
