import { randomBytes } from 'node:crypto';
import { createManualClock } from '@tierkit/core/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../../test/servers/index.ts';
import { sleep } from '../../../test/support/sleep.ts';
import { createLocks, type Lock, type Locks, type LocksOptions } from '../src/index.ts';
import { listing } from './conformance-listing.ts';
import type { SharingTests } from './conformance-shared.ts';
import { showing } from './conformance-shown.ts';
import { latenessOf } from './safety/lateness.ts';

/** A driver to hold against the suite. */
interface LockTarget {
  readonly name: string;
  /** Where the locks are; there are two instances of it, but with `'memory'` one. */
  readonly where: () => Promise<Pick<LocksOptions, 'redis' | 'quorum'>>;
  /** What it makes of shared mode and semaphores. */
  readonly sharing: SharingTests;
  /** Registers tests of this driver alone, that come after all others. */
  readonly atLast?: () => void;
}

/** What every driver promises: one test for each sentence of the port, through the calls that users make. */
export function lockConformance(target: LockTarget): void {
  describe(target.name, () => {
    let one: Locks;
    let two: Locks;
    /** Nothing happens there by itself. */
    let stopped: Locks;
    const stoppedClock = createManualClock();
    let count = 0;
    const fresh = (): string => `lock ${count++}`;
    const waiters = async (name: string, waiting: number): Promise<void> =>
      until(`${waiting} wait`, async () => (await one.inspect(name)).waiting === waiting);

    beforeAll(async () => {
      const options = { ...(await target.where()), prefix: `t${randomBytes(6).toString('hex')}:`, ttl: '5s' } as const;
      one = createLocks({ ...options, instance: 'one' });
      // Memory is of one process.
      two = options.redis === 'memory' ? one : createLocks({ ...options, instance: 'two' });
      stopped = options.redis === 'memory' ? one : createLocks({ ...options, clock: stoppedClock });
      await Promise.all([one, two, stopped].map((each) => each.ready('10s')));
    });
    afterAll(async () => {
      const closing = [one, two, stopped].map((each) => each.close());
      await stoppedClock.advanceAsync(1_000);
      await Promise.all(closing);
    });

    it('takes a free lock, and leaves one that is held', async () => {
      const name = fresh();
      const lock = await one.acquire(name);
      expect(lock).toMatchObject({ name: encodeURIComponent(name), mode: 'exclusive', held: true });
      expect(lock.remainingMs).toBeGreaterThan(1_000);
      expect(lock.remainingMs).toBeLessThan(5_000);
      expect(await two.tryAcquire(name)).toBeUndefined();
      expect(await lock.release()).toBe(true);
      expect(await lock.release()).toBe(true);
      const next = await two.tryAcquire(name);
      expect(next?.held).toBe(true);
      await next?.release();
    });

    it('gives out tokens that grow', async () => {
      const name = fresh();
      let last = 0n;
      for (let i = 0; i < 6; i++) {
        const lock = await (i % 2 === 0 ? one : two).acquire(name);
        expect(lock.token).toBeGreaterThan(last);
        last = lock.token;
        await lock.release();
      }
      expect((await one.inspect(name)).lastToken).toBe(last);
    });

    it('serves waiters of all processes in the order in which they came, each by itself', async () => {
      const name = fresh();
      const first = await one.acquire(name);
      const order: number[] = [];
      const tokens: bigint[] = [];
      let inside = 0;
      const waits: Promise<void>[] = [];
      for (let i = 0; i < 6; i++) {
        waits.push(
          (i % 2 === 0 ? two : one).request(name, async (lock) => {
            expect(++inside).toBe(1);
            order.push(i);
            tokens.push(lock.token);
            await sleep(1);
            inside--;
          }),
        );
        await waiters(name, i + 1);
      }
      expect((await two.inspect(name)).waiters).toHaveLength(6);
      await first.release();
      await Promise.all(waits);
      expect(order).toEqual([0, 1, 2, 3, 4, 5]);
      expect(tokens).toEqual(tokens.toSorted((a, b) => (a < b ? -1 : 1)));
    });

    it('keeps a place in line for one who asks again, and one who gives up loses it', async () => {
      const name = fresh();
      const first = await one.acquire(name);
      const aborts = new AbortController();
      const reason = new Error('no longer needed');
      const gone = two.acquire(name, { signal: aborts.signal });
      await waiters(name, 1);
      const stays = two.acquire(name);
      await waiters(name, 2);
      aborts.abort(reason);
      await expect(gone).rejects.toMatchObject({ code: 'ERR_LOCK_ABORTED', cause: reason });
      await waiters(name, 1);
      await expect(two.acquire(name, { timeout: 30 })).rejects.toMatchObject({ code: 'ERR_LOCK_TIMEOUT' });
      await waiters(name, 1);
      await first.release();
      await (await stays).release();
      expect(await one.inspect(name)).toMatchObject({ holders: [], waiting: 0 });
    });

    it('ends a hold that nobody extends', async () => {
      const name = fresh();
      const begunMs = performance.now();
      const lock = await one.acquire(name, { ttl: 150, renew: false });
      const next = await two.acquire(name);
      expect(performance.now() - begunMs).toBeGreaterThan(146);
      expect(lock.held).toBe(false);
      expect(lock.remainingMs).toBe(0);
      expect(() => lock.assertHeld()).toThrow(expect.objectContaining({ code: 'ERR_LOCK_LOST' }));
      expect(lock.signal.aborted).toBe(true);
      expect(await lock.release()).toBe(false);
      expect(next.held).toBe(true);
      expect((await one.inspect(name)).holders).toMatchObject([{ token: next.token }]);
      await next.release();
    });

    it('gives the locks of a process that has stopped to others, 100 ms past their time to live at the latest', async () => {
      await Promise.all(
        Array.from({ length: 4 }, async () => {
          const name = fresh();
          const begunMs = performance.now();
          const left = await stopped.acquire(name, { ttl: 500, renew: false });
          const taking = two.acquire(name);
          expect(await latenessOf(taking, two, name)).toBeLessThan(100);
          expect(performance.now() - begunMs).toBeGreaterThan(490);
          await (await taking).release();
          await left.release();
        }),
      );
    });

    it('extends a hold by itself, until it is released', async () => {
      const name = fresh();
      const lock = await one.acquire(name, { ttl: 1_000 });
      const deadlineMs = (): number => performance.now() + lock.remainingMs;
      const firstMs = deadlineMs();
      await until('it has a later deadline', () => deadlineMs() > firstMs + 100);
      expect(lock.held).toBe(true);
      expect((await two.inspect(name)).holders[0]?.ttlMs).toBeGreaterThan(firstMs - performance.now());
      expect(await two.tryAcquire(name)).toBeUndefined();
      expect(await lock.release()).toBe(true);
    });

    it('extends a hold by as much as is said', async () => {
      const name = fresh();
      const lock = await one.acquire(name, { ttl: '1s', renew: false });
      await lock.extend('20s');
      expect(lock.remainingMs).toBeGreaterThan(15_000);
      const [holder] = (await two.inspect(name)).holders;
      expect(holder?.ttlMs).toBeGreaterThan(15_000);
      await lock.release();
      await expect(lock.extend()).rejects.toMatchObject({ code: 'ERR_LOCK_NOT_OWNED' });
      expect(() => lock.assertHeld()).toThrow(expect.objectContaining({ code: 'ERR_LOCK_NOT_OWNED' }));
    });

    it('is taken away by force, which its holder learns when it extends, and wakes the next', async () => {
      const name = fresh();
      const lock = await one.acquire(name);
      const next = two.acquire(name);
      await waiters(name, 1);
      expect(await two.forceRelease(name)).toBe(true);
      expect((await two.inspect(name)).waiting).toBe(0);
      const held = await next;
      expect(held.token).toBeGreaterThan(lock.token);
      await expect(lock.extend()).rejects.toMatchObject({ code: 'ERR_LOCK_LOST' });
      expect(lock.signal.reason).toMatchObject({ code: 'ERR_LOCK_LOST' });
      expect(await lock.release()).toBe(false);
      expect(await held.release()).toBe(true);
      expect(await one.forceRelease(name)).toBe(false);
    });

    it('leaves alone what somebody else has, whoever releases', async () => {
      const name = fresh();
      const lock = await one.acquire(name);
      await two.forceRelease(name);
      const next = await two.acquire(name);
      // It does not know yet.
      expect(lock.held).toBe(true);
      expect(await lock.release()).toBe(false);
      expect((await one.inspect(name)).holders).toMatchObject([{ token: next.token }]);
      expect(await next.release()).toBe(true);
    });

    it('releases after a function, whatever it does, and passes its outcome on', async () => {
      const name = fresh();
      expect(await one.request(name, (lock) => lock.held)).toBe(true);
      const failure = new Error('its own');
      await expect(one.request(name, () => Promise.reject(failure))).rejects.toBe(failure);
      expect((await one.inspect(name)).holders).toEqual([]);
      const lost = one.request(name, async () => two.forceRelease(name));
      await expect(lost).rejects.toMatchObject({ code: 'ERR_LOCK_LOST' });
      const both = one.request(name, async () => {
        await two.forceRelease(name);
        throw failure;
      });
      await expect(both).rejects.toBe(failure);
    });

    it('releases at the end of a block', async () => {
      const name = fresh();
      let kept: Lock;
      {
        await using lock = await one.acquire(name);
        kept = lock;
        expect(await two.tryAcquire(name)).toBeUndefined();
      }
      expect(kept.held).toBe(false);
      const block = async (): Promise<void> => {
        await using _lock = await one.acquire(name);
        await two.forceRelease(name);
      };
      await expect(block()).rejects.toMatchObject({ code: 'ERR_LOCK_LOST' });
    });

    it('knows after the event loop stood still that the lock is lost, before its signal does', async () => {
      const two = [fresh(), fresh()].map((name) => one.acquire(name, { ttl: 250, renew: false }));
      const [lock, other] = (await Promise.all(two)) as [Lock, Lock];
      const { signal } = lock;
      const blockedUntil = performance.now() + Math.max(lock.remainingMs, other.remainingMs) + 5;
      while (performance.now() < blockedUntil);
      expect(signal.aborted).toBe(false);
      expect(() => lock.assertHeld()).toThrow(expect.objectContaining({ code: 'ERR_LOCK_LOST' }));
      expect(signal.aborted).toBe(true);
      expect(await lock.release()).toBe(false);
      expect([other.held, other.remainingMs, other.signal.aborted]).toEqual([false, 0, true]);
    });

    it('takes all locks or none, and nobody can wait for each other', async () => {
      const [a, b, c] = [fresh(), fresh(), fresh()];
      const held = await one.acquire(b);
      await expect(two.acquireAll([c, b, a], { timeout: 50 })).rejects.toMatchObject({ code: 'ERR_LOCK_TIMEOUT' });
      await until('nothing is kept', async () => (await one.inspect(a)).holders.length === 0);
      await held.release();
      const rounds = Array.from({ length: 4 }, async (_, i) => {
        const set = await (i % 2 === 0 ? one : two).acquireAll(i % 2 === 0 ? [a, b, c, a] : [c, b, a]);
        expect(set.locks).toHaveLength(3);
        expect(set.held).toBe(true);
        set.assertHeld();
        await set.extend('2s');
        await sleep(1);
        expect(await set.release()).toBe(true);
        expect(set.held).toBe(false);
      });
      await Promise.all(rounds);
      const lost = await one.acquireAll([a, b]);
      await two.forceRelease(b);
      await expect(lost.extend()).rejects.toMatchObject({ code: 'ERR_LOCK_LOST' });
      expect(lost.signal.aborted).toBe(true);
      expect(await lost.release()).toBe(false);
    });

    it('is entered again only by calls that say so, within the call that holds it', async () => {
      const name = fresh();
      const again = { reentrant: true } as const;
      const tokens = await one.request(name, again, async (outer) =>
        one.request(name, again, async (inner) => [outer.token, inner.token, outer.held]),
      );
      expect(tokens[0]).toBe(tokens[1]);
      expect(tokens[2]).toBe(true);
      expect((await one.inspect(name)).holders).toEqual([]);
      const unasked = one.request(name, again, () => one.request(name, { timeout: 60 }, () => 'entered'));
      await expect(unasked).rejects.toMatchObject({ code: 'ERR_LOCK_TIMEOUT' });
      const held = await one.acquire(name);
      const impatient = one.request(name, { ...again, timeout: 60 }, () => 'entered');
      await expect(impatient).rejects.toMatchObject({ code: 'ERR_LOCK_TIMEOUT' });
      await held.release();
      // A call that outlives the one around it keeps the hold.
      let late: Promise<boolean> | undefined;
      await one.request(name, again, () => {
        late = one.request(name, again, async (lock) => {
          await sleep(20);
          return lock.held;
        });
      });
      expect(await late).toBe(true);
      expect((await one.inspect(name)).holders).toEqual([]);
    });

    listing(() => ({ one, two }), fresh);
    showing(() => ({ one, two, stopped }), fresh, target.where);
    target.sharing(() => ({ one, two, stopped }), fresh);
    target.atLast?.();
  });
}
