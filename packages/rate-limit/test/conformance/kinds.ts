import { describe, expect, it } from 'vitest';
import { fixedWindow, gcra, slidingWindow, tokenBucket, type LimitResult, type Policy } from '../../src/index.ts';
import type { LimiterWorld } from './world.ts';

/** Five of each kind per minute; what one costs comes back in 12 seconds at the earliest where it comes back evenly. */
const kinds: readonly (readonly [string, () => Policy])[] = [
  ['fixed window', () => fixedWindow({ limit: 5, per: '1m' })],
  ['sliding window', () => slidingWindow({ limit: 5, per: '1m' })],
  ['exact sliding window', () => slidingWindow({ limit: 5, per: '1m', exact: true })],
  ['token bucket', () => tokenBucket({ capacity: 5, refill: 5, per: '1m' })],
  ['gcra', () => gcra({ limit: 5, per: '1m' })],
];

/** Of each algorithm. */
export function kindConformance(world: LimiterWorld): void {
  describe.each(kinds)('%s', (_, policy) => {
    it('admits the limit and says after each how much is left', async () => {
      const limiter = await world.make([policy()]);
      const left: number[] = [];
      for (let i = 0; i < 5; i++) {
        const result = await limiter.consume('ann');
        expect(result).toMatchObject({ allowed: true, limit: 5, retryAfterMs: 0, policy: policy().name });
        left.push(result.remaining);
      }
      expect(left).toEqual([4, 3, 2, 1, 0]);
      const denied = await limiter.consume('ann');
      expect(denied).toMatchObject({ allowed: false, limit: 5, remaining: 0, policy: policy().name });
      expect(denied.retryAfterMs).toBeGreaterThan(9_000);
      expect(denied.retryAfterMs).toBeLessThanOrEqual(66_000);
    });

    it('counts subjects apart', async () => {
      const limiter = await world.make([policy()]);
      await limiter.consume('ann', { cost: 5 });
      expect(await limiter.consume('ann')).toMatchObject({ allowed: false });
      expect(await limiter.consume('bob')).toMatchObject({ allowed: true, remaining: 4 });
    });

    it('a denied cost takes nothing, so that a smaller one still fits', async () => {
      const limiter = await world.make([policy()]);
      await limiter.consume('ann', { cost: 3 });
      for (let i = 0; i < 3; i++) {
        expect(await limiter.consume('ann', { cost: 3 })).toMatchObject({ allowed: false, remaining: 2 });
      }
      expect(await limiter.consume('ann', { cost: 2 })).toMatchObject({ allowed: true, remaining: 0 });
    });

    it('says of a cost above the limit that it never passes', async () => {
      const limiter = await world.make([policy()]);
      const result = await limiter.consume('ann', { cost: 6 });
      expect(result).toMatchObject({ allowed: false, retryAfterMs: Infinity, remaining: 5, policy: policy().name });
      expect(await limiter.peek('ann', { cost: 6 })).toMatchObject({ allowed: false, retryAfterMs: Infinity });
    });

    it('peek answers what consume would, and takes nothing', async () => {
      const limiter = await world.make([policy()]);
      expect(await limiter.peek('ann')).toMatchObject({ allowed: true, remaining: 5, resetMs: 0, retryAfterMs: 0 });
      await limiter.consume('ann', { cost: 4 });
      expect(await limiter.peek('ann', { cost: 1 })).toMatchObject({ allowed: true, remaining: 1 });
      expect(await limiter.peek('ann', { cost: 2 })).toMatchObject({ allowed: false, remaining: 1 });
      expect(await limiter.consume('ann')).toMatchObject({ allowed: true, remaining: 0 });
    });

    it('refund gives back no more than was taken', async () => {
      const limiter = await world.make([policy()]);
      expect(await limiter.refund('ann')).toBe(false);
      await limiter.consume('ann', { cost: 5 });
      expect(await limiter.refund('ann', { cost: 2 })).toBe(true);
      const { remaining } = await limiter.peek('ann');
      expect(remaining).toBe(2);
      expect(await limiter.refund('ann', { cost: 100 })).toBe(true);
      expect(await limiter.peek('ann')).toMatchObject({ remaining: 5 });
      expect(await limiter.consume('ann', { cost: 6 })).toMatchObject({ allowed: false });
    });

    it('what was allowed under an id is not counted again', async () => {
      const limiter = await world.make([policy()]);
      await limiter.consume('ann', { cost: 3, id: 'request 1' });
      const repeat = await limiter.consume('ann', { cost: 3, id: 'request 1' });
      expect(repeat).toMatchObject({ allowed: true, remaining: 2, retryAfterMs: 0 });
      await limiter.consume('ann', { cost: 2 });
      expect(await limiter.consume('ann', { cost: 3, id: 'request 1' })).toMatchObject({ allowed: true });
      expect(await limiter.peek('ann', { cost: 3, id: 'request 1' })).toMatchObject({ allowed: true });
      expect(await limiter.consume('bob', { cost: 3, id: 'request 1' })).toMatchObject({ remaining: 2 });
    });

    it('what was denied under an id is decided anew', async () => {
      const limiter = await world.make([policy()]);
      await limiter.consume('ann', { cost: 5 });
      expect(await limiter.consume('ann', { id: 'r' })).toMatchObject({ allowed: false });
      await limiter.reset('ann');
      expect(await limiter.consume('ann', { id: 'r' })).toMatchObject({ allowed: true, remaining: 4 });
    });

    it('refund of an id gives back what was taken under it, once', async () => {
      const limiter = await world.make([policy()]);
      await limiter.consume('ann', { cost: 3, id: 'r' });
      await limiter.consume('ann', { cost: 1 });
      expect(await limiter.refund('ann', { id: 'other' })).toBe(false);
      expect(await limiter.refund('ann', { id: 'r' })).toBe(true);
      expect((await limiter.peek('ann')).remaining).toBeGreaterThanOrEqual(3);
      expect(await limiter.refund('ann', { id: 'r' })).toBe(false);
      expect(await limiter.consume('ann', { cost: 3, id: 'r' })).toMatchObject({ allowed: true, remaining: 1 });
    });

    it('reset forgets what was taken', async () => {
      const limiter = await world.make([policy()]);
      await limiter.consume('ann', { cost: 5 });
      await limiter.reset('ann');
      expect(await limiter.consume('ann', { cost: 5 })).toMatchObject({ allowed: true });
    });

    it('block denies everything for its time, and no refund ends it', async () => {
      const limiter = await world.make([policy()]);
      await limiter.consume('ann');
      await limiter.block('ann', '2m');
      const denied = await limiter.consume('ann');
      expect(denied).toMatchObject({ allowed: false, policy: 'block', remaining: 4 });
      expect(denied.retryAfterMs).toBeGreaterThan(110_000);
      expect(denied.retryAfterMs).toBeLessThanOrEqual(120_000);
      await limiter.refund('ann');
      expect(await limiter.consume('ann')).toMatchObject({ allowed: false, policy: 'block', remaining: 5 });
      await limiter.reset('ann');
      expect(await limiter.consume('ann')).toMatchObject({ allowed: true, remaining: 4 });
    });

    it('a later block takes the place of an earlier one', async () => {
      const limiter = await world.make([policy()]);
      await limiter.block('ann', '1h');
      await limiter.block('ann', '60ms');
      await limiter.block('bo', '60ms');
      await limiter.block('bo', '1h');
      await world.pass(80);
      expect(await limiter.consume('ann')).toMatchObject({ allowed: true });
      expect(await limiter.consume('bo')).toMatchObject({ allowed: false, policy: 'block' });
    });

    it('another limit in a call counts what was taken before', async () => {
      const limiter = await world.make([policy()], { plans: { pro: { [policy().name]: 50 } } });
      await limiter.consume('ann', { cost: 5 });
      expect(await limiter.consume('ann')).toMatchObject({ allowed: false });
      const pro = await limiter.consume('ann', { plan: 'pro' });
      expect(pro).toMatchObject({ allowed: true, limit: 50, remaining: 44 });
      const fewer = await limiter.consume('ann', { plan: 'pro', limits: { [policy().name]: 3 } });
      expect(fewer).toMatchObject({ allowed: false, limit: 3, remaining: 0 });
    });

    it('periods longer than 24.8 days count as others do', async () => {
      const long = { ...policy() };
      const limit = 5;
      const policies: Record<Policy['kind'], Policy> = {
        'fixed-window': fixedWindow({ limit, per: '400d' }),
        'sliding-window': slidingWindow({
          limit,
          per: '400d',
          ...(long.algorithm.layout === 'log' ? { exact: true } : {}),
        }),
        'token-bucket': tokenBucket({ capacity: limit, refill: limit, per: '400d' }),
        gcra: gcra({ limit, per: '400d' }),
      };
      const limiter = await world.make([policies[long.kind]]);
      await limiter.consume('ann', { cost: 5 });
      await world.pass(30);
      const denied = await limiter.consume('ann');
      expect(denied.allowed).toBe(false);
      expect(denied.retryAfterMs).toBeGreaterThan(79 * 86_400_000);
    });

    it('after retryAfterMs the same cost passes, and after resetMs the whole limit does', async () => {
      const short: Record<Policy['kind'], Policy> = {
        'fixed-window': fixedWindow({ limit: 4, per: 120 }),
        'sliding-window': slidingWindow({
          limit: 4,
          per: 120,
          ...(policy().algorithm.layout === 'log' ? { exact: true } : {}),
        }),
        'token-bucket': tokenBucket({ capacity: 4, refill: 4, per: 120 }),
        gcra: gcra({ limit: 4, per: 120 }),
      };
      const limiter = await world.make([short[policy().kind]]);
      const twice = async (subject: string): Promise<LimitResult> => {
        await limiter.consume(subject, { cost: 3 });
        return limiter.consume(subject, { cost: 3 });
      };
      let subject = 'ann';
      let denied = await twice(subject);
      // A busy machine may take longer for the two than the second is denied for.
      for (; denied.allowed; denied = await twice(subject)) subject += 'n';
      await world.pass(denied.retryAfterMs);
      const allowed = await limiter.consume(subject, { cost: 3 });
      expect(allowed.allowed).toBe(true);
      await world.pass(allowed.resetMs);
      expect(await limiter.consume(subject, { cost: 4 })).toMatchObject({ allowed: true, remaining: 0 });
    });
  });
}
