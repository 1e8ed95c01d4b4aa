import { createRedis, type RedisConnection } from '@tierkit/redis';
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sharedRedis } from '../../../test/support/shared-redis.ts';
import { createQuota } from '../src/index.ts';

let redis: RedisConnection;
beforeAll(async () => {
  redis = createRedis(sharedRedis());
  await redis.ready();
});
afterAll(() => redis.close());

const metrics = {
  calls: { per: 'day', limit: 10 },
  shifts: { per: '6h', limit: 10 },
  constructor: { per: 'day', limit: 10 },
  ['__proto__']: { per: 'day', limit: 10 },
} as const;

/** Without the types that keep wrong calls away. */
type AnyQuota = Record<'add' | 'reserve' | 'commit' | 'usage' | 'close', (...args: unknown[]) => Promise<object>>;

describe.each(['memory', 'redis'])('on %s', (backend) => {
  const open = (): AnyQuota =>
    createQuota(metrics as never, {
      redis: backend === 'memory' ? 'memory' : redis,
      prefix: `t${randomBytes(6).toString('hex')}:`,
    }) as unknown as AnyQuota;

  it.each([
    ['before all dates', { from: -1e300, to: 1 }],
    ['behind all dates', { from: 1e300, to: 1e301 }],
    ['without end', { from: 0, to: Infinity }],
    ['metrics that are no list', { from: Date.now(), metrics: 'calls' }],
  ])('a history %s is refused', async (_, range) => {
    const quota = open();
    const asked = quota.usage('ann', { metrics: ['shifts'], ...range });
    await expect(asked).rejects.toMatchObject({ code: 'ERR_QUOTA_RANGE' });
    await quota.close();
  });

  it('a metric may be called like a property of every object', async () => {
    const quota = open();
    const options = { limits: { calls: 5 } };
    for (const name of ['constructor', '__proto__']) {
      const amounts = Object.fromEntries([[name, 1]]);
      expect(await quota.add('ann', amounts, options)).toMatchObject({ allowed: true });
    }
    const history = await quota.usage('ann', { from: Date.now() - 1 });
    expect(Object.keys(history)).toEqual(Object.keys(metrics));
    await quota.close();
  });

  it('options that are none are refused, and nothing is counted', async () => {
    const quota = open();
    const { hold } = (await quota.reserve('ann', { calls: 1 })) as { hold: AnyQuota };
    for (const options of [null, 5, 'x', { iD: 'request-1' }]) {
      const calls = [
        quota.add('ann', { calls: 1 }, options),
        quota.reserve('ann', { calls: 1 }, options),
        quota.commit('ann', 'an id', { calls: 1 }, options),
        quota.usage('ann', options),
        hold.commit({ calls: 1 }, options),
      ];
      for (const call of calls) await expect(call).rejects.toMatchObject({ code: 'ERR_QUOTA_OPTIONS' });
    }
    for (const limits of [null, 5, [5]]) {
      await expect(quota.add('ann', { calls: 1 }, { limits })).rejects.toMatchObject({ code: 'ERR_QUOTA_LIMIT' });
    }
    expect(await quota.usage('ann')).toMatchObject({ calls: { day: { used: 0, held: 1 } } });
    await quota.close();
  });
});

const corrupt = { code: 'ERR_QUOTA_CORRUPT', details: { applied: 'no' } };
/** What HINCRBY never wrote there: some of it HINCRBY refuses, some it takes. */
const NUMBERS = [
  '',
  'x',
  'nan',
  '-nan',
  'inf',
  '1e3',
  '1.5',
  '-1',
  '007',
  ' 5',
  '0x10',
  '9007199254740993',
  '9'.repeat(400),
];
const kept = { calls: { per: ['day', 'month'], limit: 10 }, bytes: { gauge: true, limit: 10 } } as const;

async function spoilt(onUnavailable: 'allow' | 'refuse' = 'allow') {
  const prefix = `t${randomBytes(6).toString('hex')}:`;
  const quota = createQuota(kept, { redis, prefix, onUnavailable });
  const { usage } = await quota.add('ann', { calls: 2, bytes: 2 });
  const base = `${prefix}quota:{ann}:`;
  const month = `${base}per:month:${usage?.calls.month.startMs}`;
  const day = `${base}per:day:${usage?.calls.day.startMs}`;
  const put = (key: string, field: string, value: string): Promise<unknown> =>
    redis.execute((client) => client.hset(key, field, value));
  return { quota, base, day, month, put };
}

it('numbers that no quota wrote are refused with a code, count nothing, and are gone after a reset', async () => {
  const { quota, day, month, put } = await spoilt();
  for (const field of ['calls', 'calls:told']) {
    for (const number of NUMBERS) {
      if (field === 'calls:told' && Number(number) >= 0 && Number(number) <= 100) continue;
      await quota.reset('ann');
      await quota.set('ann', { bytes: 2 });
      await quota.add('ann', { calls: 2 });
      await put(month, field, number);
      const details = { ...corrupt.details, metric: 'calls', period: 'month' };
      for (const call of [
        quota.add('ann', { bytes: 1, calls: 1 }),
        quota.reserve('ann', { calls: 1 }),
        quota.usage('ann'),
      ]) {
        await expect(call).rejects.toMatchObject({ ...corrupt, details });
      }
      if (field === 'calls') {
        await expect(quota.usage('ann', { from: Date.now() })).rejects.toMatchObject(corrupt);
      }
      // Neither the day, which is before it, nor the gauge.
      expect(await redis.execute((client) => client.hget(day, 'calls'))).toBe('2');
      expect(await quota.add('ann', { bytes: 1 })).toMatchObject({ usage: { bytes: { gauge: { used: 3 } } } });
      const { calls } = await quota.reset('ann');
      expect(calls).toMatchObject({ day: { used: 0 }, month: { used: 0 } });
      expect(await quota.add('ann', { calls: 10 })).toMatchObject({
        allowed: true,
        usage: { calls: { month: { used: 10 } } },
      });
      expect(await redis.execute((client) => client.pttl(month))).toBeGreaterThan(0);
    }
  }
  await quota.close();
});

it('a gauge, a limit and a sum of holds that no quota wrote are refused, and gone when they are set anew', async () => {
  const { quota, base, put } = await spoilt();
  for (const number of NUMBERS) {
    await put(`${base}kept`, 'gauge:bytes', number);
    await expect(quota.add('ann', { bytes: 1 })).rejects.toMatchObject(corrupt);
    expect(await quota.set('ann', { bytes: 4 })).toMatchObject({ bytes: { gauge: { used: 4 } } });
    expect(await quota.add('ann', { bytes: 1 })).toMatchObject({ usage: { bytes: { gauge: { used: 5 } } } });
    if (number === '-1') continue;
    await put(`${base}kept`, 'limit:bytes:gauge', number);
    await expect(quota.add('ann', { bytes: 1 })).rejects.toMatchObject(corrupt);
    await quota.setLimits('ann', { bytes: null });
    expect(await quota.add('ann', { bytes: 1 })).toMatchObject({ allowed: true });
  }
  for (const number of NUMBERS) {
    const { hold } = await quota.reserve('ann', { calls: 1 });
    const fields = await redis.execute((client) => client.hkeys(`${base}holds`));
    const field = fields.find((name) => name.startsWith('sum:calls:month')) ?? '';
    await put(`${base}holds`, field, number);
    await expect(quota.add('ann', { calls: 1 })).rejects.toMatchObject(corrupt);
    await expect(hold?.commit()).rejects.toMatchObject(corrupt);
    await quota.reset('ann');
    expect(await hold?.commit()).toMatchObject({ status: 'committed' });
    expect(await quota.add('ann', { calls: 1 })).toMatchObject({ usage: { calls: { month: { used: 2, held: 0 } } } });
  }
  await quota.close();
});

it('holds that no quota wrote take no room for good, and are none when they are settled', async () => {
  const { quota, base, put } = await spoilt('refuse');
  const take = (await quota.reserve('ann', { calls: 1 }, { id: 'real' })).hold;
  const real = (await redis.execute((client) => client.hget(`${base}holds`, 'hold:real'))) ?? '';
  for (const text of [
    '',
    'x',
    '=',
    ':::=',
    real.replace(/=1/g, '=-1'),
    real.replace(/=1/g, `=${'9'.repeat(30)}`),
    ' ',
  ]) {
    await put(`${base}holds`, 'hold:odd', text);
    await redis.execute((client) => client.zadd(`${base}expiries`, '9e15', 'odd'));
    await expect(quota.commit('ann', 'odd')).rejects.toMatchObject(corrupt);
    await expect(quota.release('ann', 'odd')).rejects.toMatchObject(corrupt);
    for (const next of ['x', 'nan', '']) {
      await put(`${base}holds`, 'next', next);
      await redis.execute((client) => client.zadd(`${base}expiries`, '1', 'odd'));
      expect(await quota.add('ann', { bytes: 0 })).toMatchObject({ allowed: true });
      expect(await redis.execute((client) => client.hexists(`${base}holds`, 'hold:odd'))).toBe(0);
    }
  }
  expect((await quota.usage('ann')).calls.month.held).toBe(1);
  expect(await take?.commit()).toMatchObject({ status: 'committed', usage: { calls: { month: { held: 0 } } } });
  await quota.close();
});

it('a key of another type is refused with a code before anything is written, and gone after what resets it', async () => {
  const { quota, base, month, day } = await spoilt();
  for (const key of [month, `${base}kept`, `${base}holds`, `${base}expiries`]) {
    await quota.reset('ann');
    await quota.set('ann', { bytes: 1 });
    await quota.add('ann', { calls: 1 });
    await redis.execute((client) => client.del(key));
    await redis.execute((client) => client.set(key, '5'));
    const held = key.endsWith('holds') ? {} : await redis.execute((client) => client.hgetall(`${base}holds`));
    await expect(quota.reserve('ann', { calls: 1, bytes: 1 })).rejects.toMatchObject(corrupt);
    if (key.endsWith('expiries')) {
      expect(await redis.execute((client) => client.hgetall(`${base}holds`))).toEqual(held);
    } else {
      await expect(quota.add('ann', { calls: 1, bytes: 1 })).rejects.toMatchObject(corrupt);
      await expect(quota.usage('ann')).rejects.toMatchObject(corrupt);
    }
    expect(await redis.execute((client) => client.hget(day, 'calls'))).toBe('1');
    if (key.endsWith('kept')) await quota.setLimits('ann', { bytes: null });
    else await quota.reset('ann');
    expect(await quota.reserve('ann', { calls: 1, bytes: 1 })).toMatchObject({ allowed: true });
  }
  await quota.close();
});

it('what is remembered under an id and is no answer is refused, and charges nothing', async () => {
  const prefix = `t${randomBytes(6).toString('hex')}:`;
  const quota = createQuota({ calls: { per: 'day', limit: 10 } }, { redis, prefix });
  for (const result of [
    '',
    'calls',
    'calls 1 999999999999999',
    'calls 1 1e300 day',
    'calls nan 0',
    'calls 1 1 day x 0 0 0 0',
    '\0',
    ' '.repeat(9),
  ]) {
    const found = `c\nadd calls=1\n${result}\n`;
    await redis.execute((client) => client.set(`${prefix}quota:{ann}:id:one`, found));
    await expect(quota.add('ann', { calls: 1 }, { id: 'one' })).rejects.toMatchObject(corrupt);
  }
  const pending = `c\nadd calls=1\ncalls 1 0\nother 1;calls day x`;
  await redis.execute((client) => client.set(`${prefix}quota:{ann}:id:one`, pending));
  await expect(quota.add('ann', { calls: 1 }, { id: 'one' })).rejects.toMatchObject(corrupt);
  expect((await quota.usage('ann')).calls.day.used).toBe(0);
  await quota.close();
});
