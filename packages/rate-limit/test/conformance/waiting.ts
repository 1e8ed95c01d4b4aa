import { expect, it } from 'vitest';
import { sleep } from '../../../../test/support/sleep.ts';
import { fixedWindow, slidingWindow } from '../../src/index.ts';
import type { LimiterWorld } from './world.ts';

/** Of callers that wait. */
export function waitingConformance(world: LimiterWorld): void {
  async function asTimePasses<T>(result: Promise<T>): Promise<T> {
    const isDone = result.then(() => true);
    while (!(await Promise.race([isDone, world.pass(50).then(() => false)])));
    return result;
  }

  it('wait takes as soon as it can be had, in the order of the callers', async () => {
    const limiter = await world.make([slidingWindow({ limit: 1, per: 100, slots: 2 })]);
    await limiter.consume('ann');
    const order: number[] = [];
    const waiting = [1, 2, 3].map(async (n) => {
      const result = await limiter.wait('ann', { timeout: '10s' });
      order.push(n);
      return result.allowed;
    });
    expect(await asTimePasses(Promise.all(waiting))).toEqual([true, true, true]);
    expect(order).toEqual([1, 2, 3]);
  });

  it('wait lets nobody overtake who needs more', async () => {
    const limiter = await world.make([slidingWindow({ limit: 2, per: 100, slots: 2 })]);
    await limiter.consume('ann');
    const order: number[] = [];
    const waiting = [2, 1].map(async (cost) => {
      await limiter.wait('ann', { cost, timeout: '10s' });
      order.push(cost);
    });
    await asTimePasses(Promise.all(waiting));
    expect(order).toEqual([2, 1]);
  });

  it('wait answers with the denial at once when the time would not suffice, or no time would', async () => {
    const limiter = await world.make([fixedWindow({ limit: 2, per: '1h' })]);
    await limiter.consume('ann', { cost: 2 });
    expect(await limiter.wait('ann', { timeout: '10s' })).toMatchObject({ allowed: false, policy: 'fixed-window' });
    expect(await limiter.wait('bob', { cost: 3 })).toMatchObject({ allowed: false, retryAfterMs: Infinity });
  });

  it('wait ends with the reason of its signal, before and while it waits', async () => {
    const limiter = await world.make([fixedWindow({ limit: 1, per: '20s' })]);
    await limiter.consume('ann');
    const reason = new Error('gone');
    await expect(limiter.wait('ann', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const controller = new AbortController();
    const waits = [
      limiter.wait('ann', { timeout: '25s', signal: controller.signal }),
      limiter.wait('ann', { timeout: '25s', signal: controller.signal }),
    ].map((wait) => expect(wait).rejects.toBe(reason));
    await sleep(30);
    controller.abort(reason);
    await Promise.all(waits);
  });

  it('wait takes what a reset gives back', async () => {
    const limiter = await world.make([fixedWindow({ limit: 1, per: '20s' })]);
    await limiter.consume('ann');
    const waiting = limiter.wait('ann', { timeout: '25s' });
    await sleep(30);
    await limiter.reset('ann');
    expect(await waiting).toMatchObject({ allowed: true });
  });
}
