import { createRedis, type RedisConnection } from '@tierkit/redis';
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { createQuota } from '../src/index.ts';

let redis: RedisConnection;
beforeAll(async () => {
  redis = createRedis(inject('redisUrl'));
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

it('what is remembered under an id may be any bytes', async () => {
  const prefix = `t${randomBytes(6).toString('hex')}:`;
  const quota = createQuota({ calls: { per: 'day', limit: 10 } }, { redis, prefix });
  for (const result of [
    '',
    'calls',
    'calls 1 999999999999999',
    'calls 1 1e300 day',
    'calls 1 -1',
    '\0',
    ' '.repeat(9),
  ]) {
    const found = `c\nadd calls=1\n${result}\n`;
    await redis.execute((client) => client.set(`${prefix}quota:{ann}:id:one`, found));
    expect(await quota.add('ann', { calls: 1 }, { id: 'one' })).toMatchObject({ repeated: true });
  }
  await quota.close();
});
