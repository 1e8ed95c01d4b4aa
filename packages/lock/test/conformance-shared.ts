import { expect, it } from 'vitest';
import { until } from '../../../test/servers/index.ts';
import { sleep } from '../../../test/support/sleep.ts';
import type { Lock, Locks } from '../src/index.ts';
import { listAll } from './conformance-listing.ts';
import { latenessOf } from './safety/lateness.ts';

export interface Instances {
  readonly one: Locks;
  readonly two: Locks;
  /** Nothing happens there by itself. */
  readonly stopped: Locks;
}

/** Registers tests on instances of one driver; `fresh` gives names that nobody has used. */
export type SharingTests = (locks: () => Instances, fresh: () => string) => void;

/** For drivers that refuse them. */
export const exclusiveOnly: SharingTests = (locks, fresh) => {
  it('refuses shared mode and semaphores', async () => {
    const { one } = locks();
    await expect(one.acquire(fresh(), { mode: 'shared' })).rejects.toMatchObject({ code: 'ERR_LOCK_OPTIONS' });
    await expect(one.semaphore(fresh(), 2).acquire()).rejects.toMatchObject({ code: 'ERR_LOCK_OPTIONS' });
  });
};

/** Shared mode and semaphores. */
export const sharing: SharingTests = (locks, fresh) => {
  it('lets any number share a lock, or one have it', async () => {
    const { one, two } = locks();
    const name = fresh();
    const shared = await Promise.all([one, two, one].map((each) => each.acquire(name, { mode: 'shared' })));
    expect(shared.map(({ mode }) => mode)).toEqual(['shared', 'shared', 'shared']);
    expect(new Set(shared.map(({ token }) => token)).size).toBe(3);
    expect((await one.inspect(name)).holders).toHaveLength(3);
    expect(await two.tryAcquire(name)).toBeUndefined();
    await expect(shared[1]?.extend('9s')).resolves.toBeUndefined();
    const longest = Math.max(...(await two.inspect(name)).holders.map(({ ttlMs }) => ttlMs));
    expect(longest).toBeGreaterThan(6_000);
    for (const lock of shared) expect(await lock.release()).toBe(true);
    const alone = await two.acquire(name);
    expect(await one.tryAcquire(name, { mode: 'shared' })).toBeUndefined();
    await alone.release();
  });

  it('lets those who would share wait behind one who wants it alone, then in together', async () => {
    const { one, two } = locks();
    const name = fresh();
    const first = await one.acquire(name, { mode: 'shared' });
    const alone = two.acquire(name);
    await until('it waits', async () => (await one.inspect(name)).waiting === 1);
    expect(await one.tryAcquire(name, { mode: 'shared' })).toBeUndefined();
    const readers = [one, two, two].map((each) => each.acquire(name, { mode: 'shared' }));
    await until('all wait', async () => (await one.inspect(name)).waiting === 4);
    const modes = (await two.inspect(name)).waiters.map(({ mode }) => mode);
    expect(modes).toEqual(['exclusive', 'shared', 'shared', 'shared']);
    await first.release();
    const held = await alone;
    expect((await one.inspect(name)).holders).toMatchObject([{ token: held.token, mode: 'exclusive' }]);
    await held.release();
    // All of them at once, before any has confirmed.
    expect((await one.inspect(name)).waiting).toBe(0);
    const shared = await Promise.all(readers);
    expect((await one.inspect(name)).holders).toHaveLength(3);
    for (const lock of shared) {
      expect(lock.token).toBeGreaterThan(held.token);
      expect(await lock.release()).toBe(true);
    }
  });

  it('ends each shared hold in its own time, and by force', async () => {
    const { one, two } = locks();
    const name = fresh();
    const short = await one.acquire(name, { mode: 'shared', ttl: 60, renew: false });
    const long = await two.acquire(name, { mode: 'shared' });
    await until('one has ended', async () => (await one.inspect(name)).holders.length === 1);
    expect(short.held).toBe(false);
    expect(await short.release()).toBe(false);
    const alone = one.acquire(name);
    await until('it waits', async () => (await one.inspect(name)).waiting === 1);
    expect(await one.forceRelease(name)).toBe(true);
    await (await alone).release();
    await expect(long.extend()).rejects.toMatchObject({ code: 'ERR_LOCK_LOST' });
    expect(await long.release()).toBe(false);
  });

  it('gives the permits of a process that has stopped to others, and shows them no more', async () => {
    const { one, two, stopped } = locks();
    const name = fresh();
    const left = await stopped.semaphore(name, 2).acquire({ ttl: 300, renew: false });
    const kept = await one.semaphore(name, 2).acquire();
    const taking = two.semaphore(name, 2).acquire();
    const semaphore = one.semaphore(name, 2);
    const lateness = await latenessOf(taking, { inspect: () => semaphore.inspect() }, name);
    expect(lateness).toBeLessThan(100);
    await Promise.all([kept, await taking].map((permit) => permit.release()));
    const unseen = fresh();
    const lost = await stopped.acquire(unseen, { mode: 'shared', ttl: 60, renew: false });
    await until('it has run out', async () => (await one.inspect(unseen)).holders.length === 0);
    expect((await listAll(two, 100)).filter((each) => each.name === lost.name)).toEqual([]);
    await Promise.all([left.release(), lost.release()]);
  });

  it('shows a hundred of many holders, and counts them all', async () => {
    const { one, two } = locks();
    const many = one.semaphore(fresh(), 200);
    const permits = await Promise.all(Array.from({ length: 120 }, () => many.acquire({ ttl: '60s' })));
    expect((await many.inspect()).holders).toHaveLength(100);
    const listed = (await listAll(two, 100)).filter((each) => each.name === many.name);
    expect(listed).toMatchObject([{ holders: 120 }]);
    expect(await many.forceRelease()).toBe(true);
    expect(await Promise.all(permits.map((permit) => permit.release()))).not.toContain(true);
  });

  it('gives out so many permits, in order, and no more', async () => {
    const { one, two } = locks();
    const name = fresh();
    const [a, b] = [one.semaphore(name, 3), two.semaphore(name, 3)];
    let inside = 0;
    let most = 0;
    await Promise.all(
      Array.from({ length: 12 }, (_, i) =>
        (i % 2 === 0 ? a : b).request(async (permit) => {
          most = Math.max(most, ++inside);
          permit.assertHeld();
          await sleep(3);
          inside--;
        }),
      ),
    );
    expect(most).toBe(3);
    const permits: (Lock | undefined)[] = [];
    for (let i = 0; i < 4; i++) permits.push(await b.tryAcquire());
    expect(permits.map((permit) => permit?.held)).toEqual([true, true, true, undefined]);
    // A lock of the same name is another one.
    expect(await (await one.acquire(name)).release()).toBe(true);
    expect((await a.inspect()).holders).toHaveLength(3);
    const listed = (await listAll(two, 100)).filter((each) => each.name === a.name);
    expect(listed).toEqual([{ kind: 'semaphore', name: a.name, holders: 3, waiting: 0, foreign: false }]);
    expect(await a.forceRelease()).toBe(true);
    expect(await permits[0]?.release()).toBe(false);
  });
};
