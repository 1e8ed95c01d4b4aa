import { createManualClock } from '@tierkit/core/testing';
import { createRedis, type RedisConnection, type RedisInput } from '@tierkit/redis';
import { randomBytes } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import { sleep } from '../../../test/support/sleep.ts';
import {
  createLimiter,
  fixedWindow,
  gcra,
  slidingWindow,
  tokenBucket,
  type Limiter,
  type LimiterOptions,
  type LimitResult,
  type Policy,
} from '../src/index.ts';

export interface ConformanceTarget {
  readonly name: string;
  /** What to pass as `redis`, which may be `'memory'`. */
  readonly redis: () => Promise<RedisInput>;
}

/** Five of each kind per minute; what one costs comes back in 12 seconds at the earliest where it comes back evenly. */
const kinds: readonly (readonly [string, () => Policy])[] = [
  ['fixed window', () => fixedWindow({ limit: 5, per: '1m' })],
  ['sliding window', () => slidingWindow({ limit: 5, per: '1m' })],
  ['exact sliding window', () => slidingWindow({ limit: 5, per: '1m', exact: true })],
  ['token bucket', () => tokenBucket({ capacity: 5, refill: 5, per: '1m' })],
  ['gcra', () => gcra({ limit: 5, per: '1m' })],
];

/** What every backend promises: one test for each sentence of the limiter and of its store. */
export function limiterConformance(target: ConformanceTarget): void {
  describe(target.name, () => {
    const open: Limiter[] = [];
    let shared: Promise<RedisConnection | 'memory'> | undefined;
    afterAll(async () => {
      await Promise.all(open.map((limiter) => limiter.close()));
      const redis = await shared;
      if (redis !== 'memory') await redis?.close();
    });
    const clock = createManualClock(1_000_000);

    /** Moves the time of the backend on by about `ms`. */
    const pass = (ms: number): Promise<unknown> => (target.name === 'memory' ? clock.advanceAsync(ms) : sleep(ms));

    async function make(policies: readonly Policy[], options: Partial<LimiterOptions> = {}): Promise<Limiter> {
      const prefix = `t${randomBytes(6).toString('hex')}:`;
      shared ??= target.redis().then((redis) => (redis === 'memory' ? redis : createRedis(redis)));
      const redis = await shared;
      const limiter = createLimiter('api', policies, {
        redis,
        prefix,
        shield: false,
        ...(redis === 'memory' ? { clock } : {}),
        ...options,
      });
      open.push(limiter);
      await limiter.ready('10s');
      return limiter;
    }

    describe.each(kinds)('%s', (_, policy) => {
      it('admits the limit and says after each how much is left', async () => {
        const limiter = await make([policy()]);
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
        const limiter = await make([policy()]);
        await limiter.consume('ann', { cost: 5 });
        expect(await limiter.consume('ann')).toMatchObject({ allowed: false });
        expect(await limiter.consume('bob')).toMatchObject({ allowed: true, remaining: 4 });
      });

      it('a denied cost takes nothing, so that a smaller one still fits', async () => {
        const limiter = await make([policy()]);
        await limiter.consume('ann', { cost: 3 });
        for (let i = 0; i < 3; i++) {
          expect(await limiter.consume('ann', { cost: 3 })).toMatchObject({ allowed: false, remaining: 2 });
        }
        expect(await limiter.consume('ann', { cost: 2 })).toMatchObject({ allowed: true, remaining: 0 });
      });

      it('says of a cost above the limit that it never passes', async () => {
        const limiter = await make([policy()]);
        const result = await limiter.consume('ann', { cost: 6 });
        expect(result).toMatchObject({ allowed: false, retryAfterMs: Infinity, remaining: 5, policy: policy().name });
        expect(await limiter.peek('ann', { cost: 6 })).toMatchObject({ allowed: false, retryAfterMs: Infinity });
      });

      it('peek answers what consume would, and takes nothing', async () => {
        const limiter = await make([policy()]);
        expect(await limiter.peek('ann')).toMatchObject({ allowed: true, remaining: 5, resetMs: 0, retryAfterMs: 0 });
        await limiter.consume('ann', { cost: 4 });
        expect(await limiter.peek('ann', { cost: 1 })).toMatchObject({ allowed: true, remaining: 1 });
        expect(await limiter.peek('ann', { cost: 2 })).toMatchObject({ allowed: false, remaining: 1 });
        expect(await limiter.consume('ann')).toMatchObject({ allowed: true, remaining: 0 });
      });

      it('refund gives back no more than was taken', async () => {
        const limiter = await make([policy()]);
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
        const limiter = await make([policy()]);
        await limiter.consume('ann', { cost: 3, id: 'request 1' });
        const repeat = await limiter.consume('ann', { cost: 3, id: 'request 1' });
        expect(repeat).toMatchObject({ allowed: true, remaining: 2, retryAfterMs: 0 });
        await limiter.consume('ann', { cost: 2 });
        expect(await limiter.consume('ann', { cost: 3, id: 'request 1' })).toMatchObject({ allowed: true });
        expect(await limiter.peek('ann', { cost: 3, id: 'request 1' })).toMatchObject({ allowed: true });
        expect(await limiter.consume('bob', { cost: 3, id: 'request 1' })).toMatchObject({ remaining: 2 });
      });

      it('what was denied under an id is decided anew', async () => {
        const limiter = await make([policy()]);
        await limiter.consume('ann', { cost: 5 });
        expect(await limiter.consume('ann', { id: 'r' })).toMatchObject({ allowed: false });
        await limiter.reset('ann');
        expect(await limiter.consume('ann', { id: 'r' })).toMatchObject({ allowed: true, remaining: 4 });
      });

      it('refund of an id gives back what was taken under it, once', async () => {
        const limiter = await make([policy()]);
        await limiter.consume('ann', { cost: 3, id: 'r' });
        await limiter.consume('ann', { cost: 1 });
        expect(await limiter.refund('ann', { id: 'other' })).toBe(false);
        expect(await limiter.refund('ann', { id: 'r' })).toBe(true);
        expect((await limiter.peek('ann')).remaining).toBeGreaterThanOrEqual(3);
        expect(await limiter.refund('ann', { id: 'r' })).toBe(false);
        expect(await limiter.consume('ann', { cost: 3, id: 'r' })).toMatchObject({ allowed: true, remaining: 1 });
      });

      it('reset forgets what was taken', async () => {
        const limiter = await make([policy()]);
        await limiter.consume('ann', { cost: 5 });
        await limiter.reset('ann');
        expect(await limiter.consume('ann', { cost: 5 })).toMatchObject({ allowed: true });
      });

      it('block denies everything for its time, and no refund ends it', async () => {
        const limiter = await make([policy()]);
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
        const limiter = await make([policy()]);
        await limiter.block('ann', '1h');
        await limiter.block('ann', '60ms');
        await limiter.block('bo', '60ms');
        await limiter.block('bo', '1h');
        await pass(80);
        expect(await limiter.consume('ann')).toMatchObject({ allowed: true });
        expect(await limiter.consume('bo')).toMatchObject({ allowed: false, policy: 'block' });
      });

      it('another limit in a call counts what was taken before', async () => {
        const limiter = await make([policy()], { plans: { pro: { [policy().name]: 50 } } });
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
        const limiter = await make([policies[long.kind]]);
        await limiter.consume('ann', { cost: 5 });
        await pass(30);
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
        const limiter = await make([short[policy().kind]]);
        const twice = async (subject: string): Promise<LimitResult> => {
          await limiter.consume(subject, { cost: 3 });
          return limiter.consume(subject, { cost: 3 });
        };
        let subject = 'ann';
        let denied = await twice(subject);
        // A busy machine may take longer for the two than the second is denied for.
        for (; denied.allowed; denied = await twice(subject)) subject += 'n';
        await pass(denied.retryAfterMs);
        const allowed = await limiter.consume(subject, { cost: 3 });
        expect(allowed.allowed).toBe(true);
        await pass(allowed.resetMs);
        expect(await limiter.consume(subject, { cost: 4 })).toMatchObject({ allowed: true, remaining: 0 });
      });
    });

    const both = (): Policy[] => [
      slidingWindow({ limit: 3, per: '1s', name: 'burst' }),
      tokenBucket({ capacity: 5, refill: 5, per: '1h', name: 'hourly' }),
    ];

    it('several policies: what one denies, none counts', async () => {
      const limiter = await make([
        fixedWindow({ limit: 100, per: '1h', name: 'long' }),
        slidingWindow({ limit: 3, per: '1h', name: 'short' }),
        slidingWindow({ limit: 50, per: '1h', exact: true, name: 'exact' }),
        gcra({ limit: 80, per: '1h' }),
      ]);
      for (let i = 0; i < 3; i++) expect(await limiter.consume('ann')).toMatchObject({ allowed: true });
      for (let i = 0; i < 5; i++)
        expect(await limiter.consume('ann')).toMatchObject({ allowed: false, policy: 'short' });
      const { policies } = await limiter.peek('ann');
      expect(policies.map(({ name, remaining }) => [name, remaining])).toEqual([
        ['long', 97],
        ['short', 0],
        ['exact', 47],
        ['gcra', 77],
      ]);
    });

    it('several policies: the one with the least left decides, of those that deny the one that does so for longer', async () => {
      const limiter = await make(both());
      expect(await limiter.consume('ann', { cost: 2 })).toMatchObject({ allowed: true, policy: 'burst', remaining: 1 });
      expect(await limiter.consume('ann', { cost: 2 })).toMatchObject({ allowed: false, policy: 'burst' });
      await pass(1_150);
      expect(await limiter.consume('ann', { cost: 3 })).toMatchObject({ allowed: true });
      const denied = await limiter.consume('ann');
      expect(denied).toMatchObject({ allowed: false, policy: 'hourly', limit: 5 });
      expect(denied.retryAfterMs).toBeGreaterThan(600_000);
      expect(denied.policies.map(({ retryAfterMs }) => retryAfterMs > 0)).toEqual([true, true]);
    });

    it('in shadow mode nothing is denied, and what would have been says so', async () => {
      const limiter = await make(both(), { shadow: true });
      expect(await limiter.consume('ann', { cost: 3 })).toMatchObject({ allowed: true, shadowed: false });
      const shadowed = await limiter.consume('ann');
      expect(shadowed).toMatchObject({ allowed: true, shadowed: true, policy: 'burst' });
      expect(shadowed.retryAfterMs).toBeGreaterThan(0);
      expect(shadowed.policies[1]).toMatchObject({ name: 'hourly', remaining: 2 });
    });

    it('subjects of the lists are not counted', async () => {
      const limiter = await make(both(), { allow: ['root', 'both'], deny: (subject) => /^(bad|both)$/.test(subject) });
      for (let i = 0; i < 10; i++)
        expect(await limiter.consume('root')).toMatchObject({ allowed: true, source: 'list', remaining: Infinity });
      expect(await limiter.consume('bad')).toMatchObject({ allowed: false, source: 'list', retryAfterMs: Infinity });
      expect(await limiter.peek('both')).toMatchObject({ allowed: false, source: 'list' });
      expect(await limiter.consume('ann')).toMatchObject({ allowed: true, remaining: 2 });
    });

    it.each(['a b', 'ü:{x}*?', '%', 'x'.repeat(5_000), '../..', 'a\u0000b'])(
      'takes %o for a subject',
      async (subject) => {
        const limiter = await make(both());
        expect(await limiter.consume(subject, { id: subject })).toMatchObject({ allowed: true, remaining: 2 });
        expect(await limiter.consume(`${subject}!`)).toMatchObject({ allowed: true, remaining: 2 });
      },
    );

    it('wait takes as soon as it can be had, in the order of the callers', async () => {
      const limiter = await make([slidingWindow({ limit: 1, per: 100, slots: 2 })]);
      await limiter.consume('ann');
      const order: number[] = [];
      const waiting = [1, 2, 3].map(async (n) => {
        const result = await limiter.wait('ann', { timeout: '10s' });
        order.push(n);
        return result.allowed;
      });
      const all = Promise.all(waiting);
      if (target.name === 'memory') for (let i = 0; i < 20; i++) await clock.advanceAsync(50);
      expect(await all).toEqual([true, true, true]);
      expect(order).toEqual([1, 2, 3]);
    });

    it('wait lets nobody overtake who needs more', async () => {
      const limiter = await make([slidingWindow({ limit: 2, per: 100, slots: 2 })]);
      await limiter.consume('ann');
      const order: number[] = [];
      const all = Promise.all(
        [2, 1].map(async (cost) => {
          await limiter.wait('ann', { cost, timeout: '10s' });
          order.push(cost);
        }),
      );
      if (target.name === 'memory') for (let i = 0; i < 20; i++) await clock.advanceAsync(50);
      await all;
      expect(order).toEqual([2, 1]);
    });

    it('wait answers with the denial at once when the time would not suffice, or no time would', async () => {
      const limiter = await make([fixedWindow({ limit: 2, per: '1h' })]);
      await limiter.consume('ann', { cost: 2 });
      expect(await limiter.wait('ann', { timeout: '10s' })).toMatchObject({ allowed: false, policy: 'fixed-window' });
      expect(await limiter.wait('bob', { cost: 3 })).toMatchObject({ allowed: false, retryAfterMs: Infinity });
    });

    it('wait ends with the reason of its signal, before and while it waits', async () => {
      const limiter = await make([fixedWindow({ limit: 1, per: '20s' })]);
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
      const limiter = await make([fixedWindow({ limit: 1, per: '20s' })]);
      await limiter.consume('ann');
      const waiting = limiter.wait('ann', { timeout: '25s' });
      await sleep(30);
      await limiter.reset('ann');
      expect(await waiting).toMatchObject({ allowed: true });
    });

    it.each([
      [{ cost: 0 }, 'ERR_LIMIT_ARGUMENT'],
      [{ cost: -1 }, 'ERR_LIMIT_ARGUMENT'],
      [{ cost: 1.5 }, 'ERR_LIMIT_ARGUMENT'],
      [{ cost: Number.NaN }, 'ERR_LIMIT_ARGUMENT'],
      [{ cost: '1' as unknown as number }, 'ERR_LIMIT_ARGUMENT'],
      [{ id: '' }, 'ERR_LIMIT_ARGUMENT'],
      [{ plan: 'gold' as never }, 'ERR_LIMIT_ARGUMENT'],
      [{ limits: { burst: 0 } }, 'ERR_LIMIT_ARGUMENT'],
      [{ limits: { burst: 0.5 } }, 'ERR_LIMIT_ARGUMENT'],
      [{ limits: { other: 5 } }, 'ERR_LIMIT_ARGUMENT'],
    ])('refuses %o in consume, peek, refund and wait', async (options, code) => {
      const limiter = await make(both());
      await expect(limiter.consume('ann', options)).rejects.toMatchObject({ code });
      await expect(limiter.peek('ann', options)).rejects.toMatchObject({ code });
      await expect(limiter.refund('ann', options)).rejects.toMatchObject({ code });
      await expect(limiter.wait('ann', options)).rejects.toMatchObject({ code });
      expect(await limiter.peek('ann')).toMatchObject({ remaining: 3 });
    });

    it('refuses a subject that is none, a bad duration, and calls after close', async () => {
      const limiter = await make(both());
      for (const subject of ['', undefined as unknown as string, 5 as unknown as string]) {
        await expect(limiter.consume(subject)).rejects.toMatchObject({ code: 'ERR_LIMIT_ARGUMENT' });
      }
      await expect(limiter.consume('\ud800')).rejects.toMatchObject({ code: 'ERR_KEY_INVALID' });
      await expect(limiter.block('ann', '-5m')).rejects.toMatchObject({ code: 'ERR_LIMIT_ARGUMENT' });
      await expect(limiter.wait('ann', { timeout: '5' })).rejects.toMatchObject({ code: 'ERR_LIMIT_ARGUMENT' });
      await limiter.close();
      await expect(limiter.consume('ann')).rejects.toMatchObject({ code: 'ERR_LIMIT_CLOSED' });
      await expect(limiter.wait('ann')).rejects.toMatchObject({ code: 'ERR_LIMIT_CLOSED' });
    });
  });
}
