import { createRedis, slotOf } from '@tierkit/redis';
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createManualClock } from '@tierkit/core/testing';
import { sharedRedis } from '../../../test/support/shared-redis.ts';
import { createQuota } from '../src/index.ts';

const prefix = `t${randomBytes(6).toString('hex')}:`;
const redis = createRedis(sharedRedis());
const metrics = {
  calls: { per: ['day', 'month'], limit: 10 },
  bytes: { gauge: true, limit: 10 },
} as const;
const DAY_MS = 86_400_000;

beforeAll(() => redis.ready());
afterAll(() => redis.close());

const ttl = (key: string): Promise<number> => redis.execute((client) => client.pttl(key));

it('keeps all of a subject in one slot, and lets everything expire but gauges and limits', async () => {
  const quota = createQuota(metrics, { redis, prefix });
  const user = 'a:b {c}';
  const { usage } = await quota.add(user, { calls: 2, bytes: 3 }, { id: 'one' });
  await quota.reserve(user, { calls: 2 }, { id: 'two', ttl: '10m' });
  await quota.setLimits(user, { calls: 5 });
  const keys = (await redis.execute((client) => client.keys(`${prefix}*`))).sort();
  const base = `${prefix}quota:{a%3Ab%20%7Bc%7D}:`;
  const { day, month } = usage.calls;
  expect(keys).toEqual(
    [
      ...[`${base}expiries`, `${base}holds`, `${base}id:one`, `${base}id:two`, `${base}kept`],
      ...[`${base}per:day:${day.startMs}`, `${base}per:month:${month.startMs}`],
    ].sort(),
  );
  expect(new Set(keys.map((key) => slotOf(key))).size).toBe(1);
  expect(await ttl(`${base}kept`)).toBe(-1);
  for (const [name, { startMs, endMs }] of Object.entries(usage.calls)) {
    const expiry = await redis.execute((client) => client.pexpiretime(`${base}per:${name}:${startMs}`));
    expect(expiry).toBe(endMs + 35 * DAY_MS);
  }
  expect(await ttl(`${base}id:one`)).toBeGreaterThan(DAY_MS - 60_000);
  expect(await ttl(`${base}id:one`)).toBeLessThanOrEqual(DAY_MS);
  expect(await ttl(`${base}id:two`)).toBeGreaterThan(DAY_MS + 9 * 60_000);
  for (const key of [`${base}holds`, `${base}expiries`]) {
    expect(await ttl(key)).toBeGreaterThan(69 * 60_000);
    expect(await ttl(key)).toBeLessThanOrEqual(70 * 60_000);
  }
  const { hold } = await quota.reserve(user, { calls: 1 }, { ttl: '1s' });
  await hold?.release();
  await quota.release(user, 'two');
  expect(await redis.execute((client) => client.exists(`${base}holds`, `${base}expiries`))).toBe(0);
});

it("goes by Redis's clock, and asks twice only before it knows that its own is wrong", async () => {
  let asked = 0;
  const through = new Proxy(redis, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (name === 'execute') asked++;
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const right = createQuota(metrics, { redis, prefix });
  const [now] = await redis.execute((client) => client.time());
  for (const [name, offsetMs] of [
    ['ahead', 40 * DAY_MS],
    ['behind', -3 * DAY_MS],
  ] as const) {
    const clock = createManualClock(Number(now) * 1_000 + offsetMs);
    const wrong = createQuota(metrics, { redis: through, prefix, clock });
    await right.add(name, { calls: 4 });
    asked = 0;
    expect((await wrong.add(name, { calls: 3 })).usage.calls.day.used).toBe(7);
    expect(asked).toBe(2);
    expect((await wrong.add(name, { calls: 4 })).allowed).toBe(false);
    expect(asked).toBe(3);
  }
});

it('a reset mends counts that are none', async () => {
  const quota = createQuota(metrics, { redis, prefix });
  const { usage } = await quota.add('spoilt', { calls: 2 });
  const key = `${prefix}quota:{spoilt}:per:day:${usage.calls.day.startMs}`;
  await redis.execute((client) => client.hset(key, 'calls', 'zz', 'calls:told', 'zz'));
  await expect(quota.usage('spoilt')).rejects.toMatchObject({ code: 'ERR_QUOTA_CORRUPT' });
  expect((await quota.reset('spoilt')).calls).toMatchObject({ day: { used: 0 }, month: { used: 0 } });
  expect((await quota.add('spoilt', { calls: 3 })).usage.calls.day.used).toBe(3);
});
