import { createRedis, type RedisConnection } from '@tierkit/redis';
import fc from 'fast-check';
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { sharedRedis } from '../../../test/support/shared-redis.ts';
import { createGuard, createLimiter, fixedWindow, gcra, slidingWindow, type Limiter } from '../src/index.ts';

let redis: RedisConnection;
beforeAll(async () => {
  redis = createRedis(sharedRedis());
  await redis.ready();
});
afterAll(() => redis.close());

const policies = [
  fixedWindow({ limit: 5, per: '1m' }),
  slidingWindow({ limit: 5, per: '1m', exact: true, name: 'exact' }),
  slidingWindow({ limit: 5, per: '1m', slots: 3 }),
  gcra({ limit: 5, per: '1m' }),
];

async function fresh(): Promise<{ limiter: Limiter; key: string; bytes: Buffer }> {
  const prefix = `t${randomBytes(6).toString('hex')}:`;
  const limiter: Limiter = createLimiter('hostile', policies, { redis, prefix, shield: false });
  await limiter.consume('ann', { cost: 2 });
  const [key = ''] = await redis.execute((client) => client.keys(`${prefix}*`));
  const bytes = await redis.execute((client) => client.getBuffer(key));
  return { limiter, key, bytes: bytes ?? Buffer.alloc(0) };
}

/** Every call works, no number is out of range, and what was found is gone after the longest period at the latest. */
async function expectSane(limiter: Limiter, key: string): Promise<void> {
  for (let i = 0; i < 7; i++) {
    const result = await limiter.consume('ann');
    expect(result.source).toBe('redis');
    for (const { remaining, resetMs } of result.policies) {
      expect(remaining).toBeGreaterThanOrEqual(0);
      expect(remaining).toBeLessThanOrEqual(5);
      expect(resetMs).toBeGreaterThanOrEqual(0);
    }
  }
  expect(await limiter.consume('ann', { cost: 5 })).toMatchObject({ allowed: false });
  await limiter.refund('ann', { cost: 2 });
  await limiter.block('ann', '1s');
  expect(await redis.execute((client) => client.pttl(key))).toBeGreaterThan(0);
  await limiter.reset('ann');
  expect(await limiter.consume('ann', { cost: 5 })).toMatchObject({ allowed: true });
}

it('bytes that are no state count as nothing taken', async () => {
  const any = fc.uint8Array({ maxLength: 200 });
  // As long as it likes behind the byte that states begin with.
  const bytes = fc.oneof(
    any,
    any.map((rest) => Uint8Array.from([1, ...rest])),
  );
  const { limiter, key } = await fresh();
  await fc.assert(
    fc.asyncProperty(bytes, async (found) => {
      await redis.execute((client) => client.set(key, Buffer.from(found), 'PX', 60_000));
      await expectSane(limiter, key);
    }),
    { numRuns: 30 },
  );
  await limiter.close();
});

it('a state whose numbers are none of ours neither opens the limit for ever nor closes it for ever', async () => {
  const odd = fc.constantFrom(Number.NaN, Infinity, -Infinity, -1, 1e300, 0, 0.5, 1e15, 9e14, 5e8, -1e300);
  const place = fc.record({ at: fc.nat({ max: 20 }), number: odd });
  const { limiter, key, bytes } = await fresh();
  await fc.assert(
    fc.asyncProperty(fc.array(place, { minLength: 1, maxLength: 6 }), async (places) => {
      const changed = Buffer.from(bytes);
      for (const { at, number } of places) changed.writeDoubleBE(number, 1 + 8 * (at % ((changed.length - 1) / 8)));
      await redis.execute((client) => client.set(key, changed, 'PX', 60_000));
      for (let i = 0; i < 6; i++) await limiter.consume('ann');
      const { source, retryAfterMs } = await limiter.consume('ann', { cost: 5 });
      expect(source).toBe('redis');
      expect(retryAfterMs).toBeGreaterThan(0);
      await limiter.reset('ann');
      expect(await limiter.consume('ann', { cost: 5 })).toMatchObject({ allowed: true });
      await limiter.reset('ann');
    }),
    { numRuns: 60 },
  );
  await limiter.close();
});

it('a key of another type is replaced', async () => {
  const { limiter, key } = await fresh();
  await redis.execute((client) => client.del(key));
  await redis.execute((client) => client.rpush(key, 'a'));
  await expectSane(limiter, key);
  await limiter.close();
});

it('a limit reaches no key but its own: limiters and subjects whose names run together are apart', async () => {
  const prefix = `t${randomBytes(6).toString('hex')}:`;
  const names = [
    ['a', 'b:c'],
    ['a:b', 'c'],
    ['a', 'b%3Ac'],
    ['a%3Ab', 'c'],
    ['a', '{b}:c'],
  ] as const;
  for (const [name, subject] of names) {
    const limiter = createLimiter(name, [fixedWindow({ limit: 1, per: '1m' })], { redis, prefix });
    expect(await limiter.consume(subject)).toMatchObject({ allowed: true });
    await limiter.close();
  }
});

it('an account is guarded whatever stands under its keys, and told to wait for no longer than a block lasts', async () => {
  const prefix = `t${randomBytes(6).toString('hex')}:`;
  const guard = createGuard('g', {
    redis,
    prefix,
    account: { failures: 2, within: '1h', blocks: ['1h', '2h'] },
  });
  const count = `${prefix}guard:{g:account:ann}`;
  const texts = ['', 'x', '-5', '1.5', '1e9', 'nan', 'inf', '99999999999999999999', '0x10', ' 1', '1\0'];
  const gone = (key: string): Promise<number> => redis.execute((client) => client.del(key));
  const spoils: ((key: string) => Promise<unknown>)[] = [
    ...texts.map((text) => (key: string) => redis.execute((client) => client.set(key, text))),
    ...texts.map((text) => (key: string) => redis.execute((client) => client.set(key, text, 'PX', 60_000))),
    (key) => redis.execute((client) => client.set(key, '1')),
    async (key) => (await gone(key), redis.execute((client) => client.rpush(key, 'a'))),
    async (key) => (await gone(key), redis.execute((client) => client.hset(key, 'a', '1'))),
  ];
  const lasts = (key: string): Promise<number> => redis.execute((client) => client.pttl(key));
  for (const spoil of spoils) {
    for (const calls of ['attempt', 'failed'] as const) {
      await guard.reset({ account: 'ann' });
      await spoil(count);
      await spoil(`${count}:blocks`);
      expect(await guard.check({ account: 'ann' })).toMatchObject({ allowed: true, failuresLeft: 2, source: 'redis' });
      await spoil(count);
      expect(await guard[calls]({ account: 'ann' })).toMatchObject({ allowed: true, failuresLeft: 1, source: 'redis' });
      await guard[calls]({ account: 'ann' });
      expect(await guard.check({ account: 'ann' })).toMatchObject({ allowed: false, blocked: 'account' });
      expect(await lasts(count)).toBeGreaterThan(0);
      expect(await lasts(`${count}:blocks`)).toBeGreaterThan(0);
      await spoil(count);
      await guard.succeeded({ account: 'ann' });
      await (await guard.attempt({ account: 'ann' })).succeeded();
      expect(await guard.check({ account: 'ann' })).toMatchObject({ allowed: true, failuresLeft: 2 });
    }
  }
  await guard.reset({ account: 'ann' });
  for (const forGood of ['5', '123456789']) {
    await redis.execute((client) => client.set(count, forGood, 'EX', 1_000_000));
    expect(await guard.check({ account: 'ann' })).toMatchObject({ allowed: false, retryAfterMs: 7_200_000 });
    expect(await guard.attempt({ account: 'ann' })).toMatchObject({ allowed: false, retryAfterMs: 7_200_000 });
  }
  await guard.close();
});
