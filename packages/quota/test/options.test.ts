import { describe, expect, it } from 'vitest';
import { createQuota } from '../src/index.ts';

const day = { per: 'day', limit: 10 };

it.each<[unknown, RegExp]>([
  [{}, /metrics must be/],
  [undefined, /metrics must be/],
  [[], /metrics must be/],
  [{ 'a b': day }, /a b: a name takes/],
  [{ a: { per: 'day' } }, /a: a limit is a whole number/],
  [{ a: { per: 'day', limit: 0 } }, /above 0/],
  [{ a: { per: 'day', limit: -1 } }, /a limit is/],
  [{ a: { per: 'day', limit: 1.5 } }, /a limit is/],
  [{ a: { per: 'day', limit: Number.NaN } }, /a limit is/],
  [{ a: { per: 'day', limit: 2 ** 53 } }, /a limit is/],
  [{ a: { per: 'day', limit: '10' } }, /a limit is/],
  [{ a: { per: ['day', 'month'], limit: { day: 1 } } }, /limit needs one for each of day, month/],
  [{ a: { per: 'day', limit: { day: 1, week: 2 } } }, /limit has week/],
  [{ a: { limit: 1 } }, /either per or gauge/],
  [{ a: { per: 'day', gauge: true, limit: 1 } }, /either per or gauge/],
  [{ a: { per: [], limit: 1 } }, /per takes 1 to 8/],
  [{ a: { per: ['day', 'day'], limit: 1 } }, /day twice/],
  [{ a: { per: 'fortnight', limit: 1 } }, /per must be/],
  [{ a: { ...day, overflow: 'drop' } }, /overflow is/],
  [{ a: { ...day, thresholds: [0] } }, /thresholds takes/],
  [{ a: { ...day, thresholds: [1 / 3] } }, /thresholds takes/],
  [{ a: { ...day, treshold: [1] } }, /treshold is not an option/],
  [{ a: null }, /a: must be an object/],
])('%o are no metrics', (metrics, message) => {
  expect(() => createQuota(metrics as never, { redis: 'memory' })).toThrow(
    expect.objectContaining({ code: 'ERR_QUOTA_OPTIONS', message: expect.stringMatching(message) }),
  );
});

it.each<[unknown, RegExp]>([
  [undefined, /options object/],
  [{}, /redis must be/],
  [{ redis: 'memory', timeZone: 'Europe/Nowhere' }, /timeZone must be/],
  [{ redis: 'memory', prefix: 'a b' }, /prefix takes/],
  [{ redis: 'memory', plan: 'free' }, /plan must be/],
  [{ redis: 'memory', onThreshold: true }, /onThreshold must be/],
  [{ redis: 'memory', onUnavailable: 'open' }, /onUnavailable is/],
  [{ redis: 'memory', thresholds: ['80%'] }, /thresholds takes/],
  [{ redis: 'memory', idTtl: '1M' }, /idTtl/],
  [{ redis: 'memory', holdTtl: 0 }, /holdTtl/],
  [{ redis: 'memory', timezone: 'UTC' }, /timezone is not an option/],
])('%o are no options', (options, message) => {
  expect(() => createQuota({ a: { per: 'day', limit: 1 } }, options as never)).toThrow(
    expect.objectContaining({ code: 'ERR_QUOTA_OPTIONS', message: expect.stringMatching(message) }),
  );
});

it('names all faults at once', () => {
  expect(() => createQuota({ a: { per: 'day', limit: -1 } }, { redis: 'memory', prefix: ' ', idTtl: '1M' })).toThrow(
    expect.objectContaining({ details: { faults: [expect.anything(), expect.anything(), expect.anything()] } }),
  );
});

describe('a call', () => {
  const metrics = { calls: { per: 'day', limit: 10 }, bytes: { gauge: true, limit: 10 } } as const;
  const quota = createQuota(metrics, { redis: 'memory' });

  it.each<[unknown]>([
    [undefined],
    [{}],
    [[1]],
    [{ calls: Number.NaN }],
    [{ calls: -1 }],
    [{ calls: 0.5 }],
    [{ calls: 2 ** 53 }],
    [{ calls: '1' }],
    [{ calls: 1n }],
    [{ call: 1 }],
    [{ toString: 1 }],
  ])('counts no %o', async (amounts) => {
    await expect(quota.add('u', amounts as never)).rejects.toMatchObject({ code: 'ERR_QUOTA_AMOUNTS' });
    await expect(quota.reserve('u', amounts as never)).rejects.toMatchObject({ code: 'ERR_QUOTA_AMOUNTS' });
  });

  it('holds nothing that is given back, and sets only gauges', async () => {
    await expect(quota.reserve('u', { bytes: -1 })).rejects.toMatchObject({ code: 'ERR_QUOTA_AMOUNTS' });
    await expect(quota.set('u', { calls: 1 })).rejects.toMatchObject({ code: 'ERR_QUOTA_AMOUNTS' });
    await expect(quota.set('u', { bytes: -1 })).rejects.toMatchObject({ code: 'ERR_QUOTA_AMOUNTS' });
    expect((await quota.add('u', { bytes: -0 })).usage.bytes.gauge.used).toBe(0);
  });

  it.each<[unknown]>([[''], [undefined], [Number.NaN], [{}], ['\ud800']])('has no subject or id %o', async (text) => {
    await expect(quota.add(text as never, { calls: 1 })).rejects.toMatchObject({ code: 'ERR_KEY_INVALID' });
    if (text === undefined) return;
    await expect(quota.add('u', { calls: 1 }, { id: text as never })).rejects.toMatchObject({
      code: 'ERR_KEY_INVALID',
    });
  });

  it.each<[unknown]>([[undefined], [{}], [{ calls: -1 }], [{ calls: 1.5 }], [{ other: 1 }], [{ calls: { week: 1 } }]])(
    'stores no limits %o',
    async (limits) => {
      await expect(quota.setLimits('u', limits as never)).rejects.toMatchObject({ code: 'ERR_QUOTA_LIMIT' });
      if (limits === undefined || Object.keys(limits as object).length === 0) return;
      const call = quota.add('u', { calls: 1 }, { limits: limits as never });
      await expect(call).rejects.toMatchObject({ code: 'ERR_QUOTA_LIMIT' });
    },
  );

  it('refuses other overflows and times to live', async () => {
    const overflow = 'drop' as never;
    await expect(quota.add('u', { calls: 1 }, { overflow })).rejects.toMatchObject({ code: 'ERR_QUOTA_AMOUNTS' });
    for (const ttl of ['1M', 0, '36d']) {
      const call = quota.reserve('u', { calls: 1 }, { ttl });
      await expect(call).rejects.toMatchObject({ code: 'ERR_DURATION_INVALID' });
    }
  });
});

describe('a plan', () => {
  const planned = (limit: unknown, timeZone: unknown = 'UTC') =>
    createQuota(
      { calls: { per: 'day', limit: () => limit as number } },
      { redis: 'memory', timeZone: (() => timeZone) as () => string },
    );

  it.each([-1, 0.5, '5', undefined, { week: 1 }, {}])('whose limit is %o is refused', async (limit) => {
    await expect(planned(limit).add('u', { calls: 1 }, { plan: {} })).rejects.toMatchObject({
      code: 'ERR_QUOTA_LIMIT',
    });
  });

  it('may have a limit of 0, or none', async () => {
    expect((await planned(0).add('u', { calls: 1 }, { plan: {} })).allowed).toBe(false);
    expect((await planned(Infinity).add('u', { calls: 1 }, { plan: {} })).allowed).toBe(true);
  });

  it('is needed where something depends on it', async () => {
    await expect(planned(5).add('u', { calls: 1 })).rejects.toMatchObject({ code: 'ERR_QUOTA_PLAN' });
  });

  it.each(['Nowhere', '', 5, undefined])('with the zone %o is refused', async (zone) => {
    const quota = createQuota(
      { calls: { per: 'day', limit: 1 } },
      { redis: 'memory', timeZone: (() => zone) as () => string },
    );
    await expect(quota.add('u', { calls: 1 }, { plan: {} })).rejects.toMatchObject({ code: 'ERR_QUOTA_PERIOD' });
  });
});

it('what onThreshold throws is logged, and the charge stands', async () => {
  const logged: unknown[] = [];
  const silent = { debug() {}, info() {}, warn() {}, error: (details: unknown) => void logged.push(details) };
  const quota = createQuota(
    { calls: { per: 'day', limit: 1 } },
    {
      redis: 'memory',
      logger: silent,
      onThreshold: async () => {
        throw new Error('nobody there');
      },
    },
  );
  expect((await quota.add('u', { calls: 1 })).allowed).toBe(true);
  await quota.close();
  expect(logged).toHaveLength(2);
});
