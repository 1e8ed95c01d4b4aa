import { silentLogger } from '@tierkit/core';
import { createManualClock, type ManualClock } from '@tierkit/core/testing';
import { getEventListeners } from 'node:events';
import { expect, inject, it, onTestFinished } from 'vitest';
import { startProxy, until } from '../../../test/servers/index.ts';
import { createLocks, type Locks } from '../src/index.ts';

/** Locks whose time is moved by hand. */
function open(): { readonly locks: Locks; readonly clock: ManualClock; readonly warnings: string[] } {
  const clock = createManualClock();
  const warnings: string[] = [];
  const logger = { ...silentLogger, warn: (_: object, message?: string) => warnings.push(String(message)) };
  const locks = createLocks({ redis: 'memory', clock, logger });
  return { locks, clock, warnings };
}

/** What a call that is waited for later rejects with. */
async function failed(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => undefined,
    (error: unknown) => error,
  );
}

it('holds until 1 % and 2 ms before its time to live has passed since it was asked for', async () => {
  const { locks, clock, warnings } = open();
  const taking = locks.acquire('a', { ttl: '10s', renew: false });
  clock.advance(100);
  const lock = await taking;
  expect(lock.remainingMs).toBe(9_798);
  const extending = lock.extend();
  clock.advance(100);
  await extending;
  expect(lock.remainingMs).toBe(9_798);
  clock.advance(9_797);
  expect([lock.held, lock.signal.aborted, warnings]).toEqual([true, false, []]);
  clock.advance(1);
  expect(lock.signal.reason).toMatchObject({ code: 'ERR_LOCK_LOST' });
  expect([lock.held, lock.remainingMs, warnings]).toEqual([false, 0, ['a lock is lost']]);
  expect(clock.pendingTimers).toBe(0);
  expect(await lock.release()).toBe(false);
  expect(locks.stats()).toMatchObject({ held: 0, acquired: 1, lost: 1 });
  await locks.close();
});

it('is extended three times within its time to live, by that which was said last, while others come and go', async () => {
  const { locks, clock } = open();
  const long = await locks.acquire('long', { ttl: '1h' });
  const lock = await locks.acquire('a', { ttl: '9s' });
  for (let i = 0; i < 20; i++) {
    expect(lock.remainingMs).toBe(8_908);
    await locks.request(`b ${i}`, { ttl: '1s' }, () => clock.advanceAsync(3_000));
  }
  await lock.extend('30s');
  await clock.advanceAsync(10_000);
  expect(lock.remainingMs).toBe(29_698);
  // A shorter time is looked after in time, though there was a timer for a later moment.
  await lock.extend('300ms');
  for (let i = 0; i < 10; i++) await clock.advanceAsync(100);
  expect(lock.held).toBe(true);
  expect(await lock.release()).toBe(true);
  expect(await long.release()).toBe(true);
  expect(locks.stats()).toMatchObject({ held: 0, lost: 0 });
  await locks.close();
});

it('is held while Redis is away, and extended as soon as it is back', async () => {
  const proxy = await startProxy({ target: { port: Number(new URL(inject('redisUrl')).port) } });
  const clock = createManualClock();
  const locks = createLocks({ redis: proxy.url, clock });
  onTestFinished(async () => {
    const closing = locks.close();
    await clock.advanceAsync(1_000);
    await closing;
    await proxy.stop();
  });
  await locks.ready();
  const lock = await locks.acquire(`away ${Math.random()}`, { ttl: '1h' });
  proxy.refuse();
  proxy.cut();
  await until('Redis is away', () =>
    locks.inspect('any').then(
      () => false,
      () => true,
    ),
  );
  const beforeMs = lock.remainingMs;
  await clock.advanceAsync(1_300_000);
  expect(lock.remainingMs).toBe(beforeMs - 1_300_000);
  expect(lock.signal.aborted).toBe(false);
  await proxy.normal();
  await locks.ready();
  // A twentieth of its time to live after the attempt that failed.
  await clock.advanceAsync(80_000);
  await until('it is extended', () => lock.remainingMs === beforeMs);
  expect(await lock.release()).toBe(true);
});

it('is disposed of without an error once its loss was told by release', async () => {
  const { locks } = open();
  const lock = await locks.acquire('a');
  await locks.forceRelease('a');
  expect(await lock.release()).toBe(false);
  await expect(lock[Symbol.asyncDispose]()).resolves.toBeUndefined();
  await locks.close();
});

it('leaves nothing behind of waits', async () => {
  const { locks, clock } = open();
  const held = await locks.acquire('a');
  const before = clock.pendingTimers;
  const aborts = new AbortController();
  const waits = [locks.acquire('a', { signal: aborts.signal }), locks.acquire('a', { timeout: 50 })].map(failed);
  await until('they wait', async () => (await locks.inspect('a')).waiting === 2);
  await clock.advanceAsync(50);
  expect(await waits[1]).toMatchObject({ code: 'ERR_LOCK_TIMEOUT' });
  aborts.abort();
  expect(await waits[0]).toMatchObject({ code: 'ERR_LOCK_ABORTED' });
  await until('nobody waits', () => locks.stats().waiting === 0);
  expect(clock.pendingTimers).toBe(before);
  const patient = new AbortController();
  const next = locks.acquire('a', { signal: patient.signal });
  await until('it waits', async () => (await locks.inspect('a')).waiting === 1);
  await held.release();
  await (await next).release();
  expect(getEventListeners(patient.signal, 'abort')).toEqual([]);
  await locks.close();
});

it('is shared by nested calls only while it is held, and each of them is told of the loss', async () => {
  const { locks } = open();
  const again = { reentrant: true } as const;
  const told: unknown[] = [];
  let entered: boolean | undefined;
  const outer = locks.request('a', again, async () => {
    await locks.request('b', again, async () => {
      // Two locks that are held at once are both known.
      expect(await locks.request('a', { ...again, timeout: 1 }, ({ held }) => held)).toBe(true);
    });
    const inner = locks.request('a', again, async () => {
      await locks.forceRelease('a');
      await locks
        .request('a', again, (lock) => lock.extend().catch(() => undefined))
        .catch((error) => told.push(error));
    });
    await inner.catch((error: unknown) => told.push(error));
    // What is lost is not entered: this is a hold of its own.
    entered = await locks.request('a', again, ({ held }) => held);
  });
  await outer.catch((error: unknown) => told.push(error));
  expect(told).toMatchObject([{ code: 'ERR_LOCK_LOST' }, { code: 'ERR_LOCK_LOST' }, { code: 'ERR_LOCK_LOST' }]);
  expect(entered).toBe(true);
  const shared = locks.request('c', { ...again, mode: 'shared' }, () => locks.request('c', again, () => 'entered'));
  await expect(shared).rejects.toMatchObject({ code: 'ERR_LOCK_OPTIONS' });
  expect((await locks.inspect('c')).holders).toEqual([]);
  await locks.close();
});

it('is one of a set: the set is held while all are, within one time, and all are released', async () => {
  const { locks, clock } = open();
  const set = await locks.acquireAll(['b', 'a'], { ttl: '20s', renew: false });
  expect(set.locks.map(({ name, remainingMs }) => [name, remainingMs])).toEqual([
    ['a', 19_798],
    ['b', 19_798],
  ]);
  const { signal } = set;
  await set.locks[1]?.release();
  expect(set.held).toBe(false);
  await locks.forceRelease('a');
  await expect(set[Symbol.asyncDispose]()).rejects.toMatchObject({ code: 'ERR_LOCK_LOST' });
  const kept = await locks.acquireAll(['a', 'b', 'c']);
  await kept[Symbol.asyncDispose]();
  for (const name of ['a', 'b', 'c']) expect((await locks.inspect(name)).holders).toEqual([]);
  expect(signal.aborted).toBe(false);
  // One is lost while the next is waited for.
  const blocked = await locks.acquire('z', { ttl: '5m' });
  const late = locks.acquireAll(['y', 'z'], { ttl: '10s', renew: false, timeout: '1m' });
  await until('it waits', async () => (await locks.inspect('z')).waiting === 1);
  await clock.advanceAsync(11_000);
  await blocked.release();
  await expect(late).rejects.toMatchObject({ code: 'ERR_LOCK_LOST' });
  // One time for all of them.
  const held = [await locks.acquire('u'), await locks.acquire('v')];
  const impatient = failed(locks.acquireAll(['u', 'v'], { timeout: 100 }));
  await until('it waits', async () => (await locks.inspect('u')).waiting === 1);
  await clock.advanceAsync(60);
  await held[0]?.release();
  await until('it waits', async () => (await locks.inspect('v')).waiting === 1);
  await clock.advanceAsync(60);
  expect(await impatient).toMatchObject({ code: 'ERR_LOCK_TIMEOUT' });
  await held[1]?.release();
  await locks.close();
});
