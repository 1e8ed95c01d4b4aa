import { randomBytes } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { expect, it } from 'vitest';
import { until } from '../../../test/servers/index.ts';
import { createLocks, type LocksOptions } from '../src/index.ts';
import { listAll } from './conformance-listing.ts';
import type { Instances } from './conformance-shared.ts';

/** What every driver shows of a lock, and counts. */
export function showing(
  locks: () => Instances,
  fresh: () => string,
  where: () => Promise<Pick<LocksOptions, 'redis' | 'quorum'>>,
): void {
  const waiters = async (name: string, waiting: number): Promise<void> =>
    until(`${waiting} wait`, async () => (await locks().one.inspect(name)).waiting === waiting);

  it('shows who holds and who waits', async () => {
    const { one, two } = locks();
    const name = fresh();
    const lock = await one.acquire(name, { ttl: '4s' });
    const next = two.acquire(name);
    await waiters(name, 1);
    const state = await two.inspect(name);
    expect(state.holders).toMatchObject([{ mode: 'exclusive', token: lock.token }]);
    expect(state.holders[0]?.owner).toMatch(/^one-/);
    expect(state.holders[0]?.ttlMs).toBeGreaterThan(1_000);
    expect(state.holders[0]?.ttlMs).toBeLessThanOrEqual(4_000);
    expect(state.waiters).toMatchObject([{ mode: 'exclusive' }]);
    await lock.release();
    const own = await next;
    // It has confirmed its turn, and so has it for as long as it wants.
    expect((await one.inspect(name)).holders).toMatchObject([{ token: own.token }]);
    expect((await one.inspect(name)).holders[0]?.ttlMs).toBeGreaterThan(1_000);
    await own.release();
    expect(await one.inspect(fresh())).toEqual({
      holders: [],
      waiters: [],
      waiting: 0,
      lastToken: expect.any(BigInt),
    });
  });

  it('neither shows, lists nor takes away what has run out', async () => {
    const { one, two, stopped } = locks();
    const name = fresh();
    const left = await stopped.acquire(name, { ttl: 60, renew: false });
    await until('it has run out', async () => (await one.inspect(name)).holders.length === 0);
    expect((await listAll(one, 100)).filter((each) => each.name === left.name)).toEqual([]);
    expect(await two.forceRelease(name)).toBe(false);
    await left.release();
  });

  it('shows a hundred of many waiters, and counts them all', async () => {
    const { one, two } = locks();
    const name = fresh();
    const held = await one.acquire(name);
    const aborts = new AbortController();
    setMaxListeners(105, aborts.signal);
    const waits = Array.from({ length: 105 }, () => two.acquire(name, { signal: aborts.signal }));
    await waiters(name, 105);
    expect((await one.inspect(name)).waiters).toHaveLength(100);
    aborts.abort();
    await Promise.allSettled(waits);
    await waiters(name, 0);
    await held.release();
  });

  it('counts what happens', async () => {
    const counted = createLocks({ ...(await where()), prefix: `t${randomBytes(6).toString('hex')}:` });
    await counted.ready('10s');
    const held = await counted.acquire('a');
    await expect(counted.acquire('a', { timeout: 1 })).rejects.toMatchObject({ code: 'ERR_LOCK_TIMEOUT' });
    const waits = counted.acquire('a');
    await until('it waits', async () => (await counted.inspect('a')).waiting === 1);
    await counted.forceRelease('a');
    await expect(held.extend()).rejects.toMatchObject({ code: 'ERR_LOCK_LOST' });
    const next = await waits;
    const last = counted.acquire('a');
    await until('it waits', async () => (await counted.inspect('a')).waiting === 1);
    expect(counted.stats()).toEqual({ held: 1, waiting: 1, acquired: 2, waited: 1, timeouts: 1, lost: 1 });
    await next.release();
    await (await last).release();
    expect(counted.stats()).toEqual({ held: 0, waiting: 0, acquired: 3, waited: 2, timeouts: 1, lost: 1 });
    await counted.close();
  });
}
