import { createManualClock } from '@tierkit/core/testing';
import { expect, it } from 'vitest';
import { Withdrawals } from '../src/withdrawals.ts';

const TTL_MS = 30_000;

/** What a store that is away, or applies late, makes of attempts to take something back. */
function lateStore(): { away: boolean; there: number; attempts: number; takeBack: () => Promise<void> } {
  const store = {
    away: false,
    there: 0,
    attempts: 0,
    takeBack: async () => {
      store.attempts++;
      if (store.away) throw new Error('away');
      store.there = 0;
    },
  };
  return store;
}

it('takes back at once what is surely there, and no more', async () => {
  const clock = createManualClock();
  const store = lateStore();
  new Withdrawals(clock).add(store.takeBack, TTL_MS, false);
  await clock.advanceAsync(2 * TTL_MS);
  expect(store.attempts).toBe(1);
  expect(clock.pendingTimers).toBe(0);
});

it('takes back what is applied when a store returns that was away for longer than the time to live', async () => {
  const clock = createManualClock();
  const store = lateStore();
  store.away = true;
  new Withdrawals(clock).add(store.takeBack, TTL_MS, true);
  await clock.advanceAsync(5 * TTL_MS);
  store.away = false;
  // Several requests of one caller, one after the other.
  for (let i = 0; i < 3; i++) {
    store.there = 1;
    await clock.advanceAsync(5_000);
    expect(store.there).toBe(0);
  }
  await clock.advanceAsync(2 * TTL_MS);
  expect(clock.pendingTimers).toBe(0);
  expect(store.attempts).toBeLessThan(80);
});

it('tries once more when it is closed, and no more after that', async () => {
  const clock = createManualClock();
  const store = lateStore();
  const withdrawals = new Withdrawals(clock);
  withdrawals.add(store.takeBack, TTL_MS, true);
  await clock.advanceAsync(1_000);
  store.there = 1;
  const attempts = store.attempts;
  await withdrawals.close();
  expect(store.there).toBe(0);
  await clock.advanceAsync(2 * TTL_MS);
  expect(store.attempts).toBe(attempts + 1);
});

it('gives up in the end, and keeps no more than 10,000 in mind', async () => {
  const clock = createManualClock();
  const store = lateStore();
  store.away = true;
  const withdrawals = new Withdrawals(clock);
  for (let i = 0; i < 10_100; i++) withdrawals.add(store.takeBack, TTL_MS, true);
  await clock.advanceAsync(0);
  expect(clock.pendingTimers).toBe(10_000);
  await withdrawals.close();
  expect(clock.pendingTimers).toBe(0);
  const attempts = store.attempts;
  const last = new Withdrawals(clock);
  last.add(store.takeBack, TTL_MS, true);
  await clock.advanceAsync(700_000);
  expect(store.attempts - attempts).toBeLessThan(200);
  expect(clock.pendingTimers).toBe(0);
});
