import { expect, it } from 'vitest';
import { createLimiter, fixedWindow, gcra, slidingWindow, tokenBucket } from '../src/index.ts';

const thrown = (make: () => unknown): unknown => {
  try {
    return make();
  } catch (error) {
    return error;
  }
};

it.each([0, -1, 1.5, Number.NaN, Infinity, 2e9, '5'])('a policy of a limit of %o is refused', (value) => {
  const limit = value as number;
  const makers = [
    () => fixedWindow({ limit, per: '1s' }),
    () => slidingWindow({ limit, per: '1s' }),
    () => slidingWindow({ limit, per: '1s', exact: true }),
    () => tokenBucket({ capacity: limit, refill: 1, per: '1s' }),
    () => tokenBucket({ capacity: 1, refill: limit, per: '1s' }),
    () => gcra({ limit, per: '1s' }),
    () => gcra({ limit: 1, burst: limit, per: '1s' }),
  ];
  for (const make of makers) expect(thrown(make)).toMatchObject({ code: 'ERR_LIMIT_POLICY' });
});

it.each(['1M', '5', '-5m', 0, -1, Number.NaN, '', undefined, '200y'])(
  'a policy of a period of %o is refused',
  (per) => {
    expect(thrown(() => fixedWindow({ limit: 1, per: per as string }))).toMatchObject({ code: 'ERR_LIMIT_POLICY' });
    expect(thrown(() => gcra({ limit: 1, per: per as string }))).toMatchObject({ code: 'ERR_LIMIT_POLICY' });
  },
);

it('all faults of a policy are named at once', () => {
  const wrong = { limit: 0, per: 'soon', slots: 1, exact: 'yes', name: ' ', size: 1 };
  expect(thrown(() => slidingWindow(wrong as never))).toMatchObject({
    code: 'ERR_LIMIT_POLICY',
    details: { faults: expect.arrayContaining([expect.stringContaining('limit'), expect.stringContaining('per')]) },
  });
  const { details } = thrown(() => slidingWindow(wrong as never)) as { details: { faults: string[] } };
  expect(details.faults).toHaveLength(6);
});

it.each([
  ['another exact limit', () => slidingWindow({ limit: 1_001, per: '1s', exact: true })],
  ['slots with exact', () => slidingWindow({ limit: 5, per: '1s', exact: true, slots: 5 })],
  ['no options', () => gcra(undefined as never)],
])('%s is refused', (_, make) => {
  expect(thrown(make)).toMatchObject({ code: 'ERR_LIMIT_POLICY' });
});

const policies = [fixedWindow({ limit: 1, per: '1s' })] as const;
const wrong: readonly (readonly [string, object])[] = [
  ['no redis', { redis: undefined }],
  ['a prefix with braces', { prefix: '{a}' }],
  ['an unknown onUnavailable', { onUnavailable: 'maybe' }],
  ['an unknown option', { limit: 5 }],
  ['a bad timeout', { timeout: '5' }],
  ['a timeout longer than timers last', { timeout: '30d' }],
  ['a shield of no size', { shield: { maxSubjects: 0 } }],
  ['memory of half a subject', { memory: { maxSubjects: 0.5 } }],
  ['a list of no subjects', { allow: 'ann' }],
  ['a plan for no policy', { plans: { pro: { other: 1 } } }],
  ['a plan of a limit of 0', { plans: { pro: { 'fixed-window': 0 } } }],
  ['shadow that is no boolean', { shadow: 'yes' }],
];

it.each(wrong)('%s is refused', (_, options) => {
  const make = () => createLimiter('api', policies, { redis: 'memory', ...options });
  expect(thrown(make)).toMatchObject({ code: 'ERR_LIMIT_OPTIONS' });
});

it('a limiter without a name, without policies, with too many or with two of a name is refused', () => {
  const two = [...policies, fixedWindow({ limit: 9, per: '9s' })];
  const many = Array.from({ length: 9 }, (_, i) => gcra({ limit: 1, per: '1s', name: `p${i}` }));
  const none: (typeof policies)[number][] = [];
  for (const list of [two, many, none, undefined as never, [{}] as never]) {
    expect(thrown(() => createLimiter('api', list, { redis: 'memory' }))).toMatchObject({ code: 'ERR_LIMIT_OPTIONS' });
  }
  expect(thrown(() => createLimiter('', policies, { redis: 'memory' }))).toMatchObject({ code: 'ERR_LIMIT_OPTIONS' });
});

it('the memory of a limiter is bounded: the subject that was seen longest ago is forgotten', async () => {
  const limiter = createLimiter('api', policies, { redis: 'memory', memory: { maxSubjects: 2 } });
  for (const subject of ['a', 'b', 'a', 'c']) await limiter.consume(subject);
  expect(await limiter.peek('c')).toMatchObject({ allowed: false });
  expect(await limiter.peek('b')).toMatchObject({ allowed: true });
  expect(await limiter.peek('a')).toMatchObject({ allowed: false });
  await limiter.close();
});

it.each([null, 5, 'x'])('options %j of a call are refused, and nothing is counted', async (options) => {
  const limiter = createLimiter('u', [fixedWindow({ limit: 1, per: '1m' })], { redis: 'memory' });
  for (const call of ['consume', 'peek', 'refund', 'wait'] as const) {
    await expect(limiter[call]('ann', options as never)).rejects.toMatchObject({ code: 'ERR_LIMIT_ARGUMENT' });
  }
  await expect(limiter.wait('ann', { signal: {} as AbortSignal })).rejects.toMatchObject({
    code: 'ERR_LIMIT_ARGUMENT',
  });
  expect(await limiter.peek('ann')).toMatchObject({ remaining: 1 });
  await limiter.close();
});

it.each([{ costs: 5 }, { cost: 1, planned: 'pro' }, { timeout: '1s' }, { ID: 'a' }])(
  'options %j of a call are refused for a name that is none, and nothing is counted',
  async (options) => {
    const limiter = createLimiter('u', [fixedWindow({ limit: 1, per: '1m' })], { redis: 'memory' });
    const refused = {
      code: 'ERR_LIMIT_ARGUMENT',
      message: expect.stringMatching(/(costs|planned|timeout|ID) is not an option/),
    };
    for (const call of ['consume', 'peek', 'refund'] as const) {
      await expect(limiter[call]('ann', options as never)).rejects.toMatchObject(refused);
    }
    if (!('timeout' in options)) {
      await expect(limiter.wait('ann', options as never)).rejects.toMatchObject(refused);
    }
    expect(await limiter.wait('ann', { timeout: 1, signal: new AbortController().signal })).toMatchObject({
      allowed: true,
    });
    await limiter.close();
  },
);

it('a policy may be called like a property of every object', async () => {
  const policies = [
    fixedWindow({ limit: 5, per: '1m', name: 'constructor' }),
    gcra({ limit: 7, per: '1m', name: 'other' }),
  ];
  const limiter = createLimiter('u', policies, { redis: 'memory', plans: { free: {} } });
  expect(await limiter.consume('ann', { limits: { other: 2 } as never })).toMatchObject({
    allowed: true,
    remaining: 1,
  });
  expect(await limiter.consume('ann', { plan: 'free' })).toMatchObject({ allowed: true, remaining: 3 });
  await limiter.close();
});
