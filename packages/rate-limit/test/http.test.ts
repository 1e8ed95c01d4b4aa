import { createManualClock } from '@tierkit/core/testing';
import { beforeEach, expect, it } from 'vitest';
import {
  createLimiter,
  fixedWindow,
  limitProblem,
  rateLimitFields,
  retryAfterSeconds,
  slidingWindow,
  type Limiter,
  type LimitResult,
} from '../src/index.ts';

const policies = [
  slidingWindow({ limit: 3, per: '60s', name: 'burst' }),
  fixedWindow({ limit: 1_000, per: '1d', name: 'daily' }),
  fixedWindow({ limit: 100, per: 1_500, name: 'odd' }),
];
let clock = createManualClock();
let limiter: Limiter;
beforeEach(() => {
  clock = createManualClock();
  limiter = createLimiter('http', policies, { redis: 'memory', clock });
});

it('an allowed request is told every policy, what is left and when it is whole again', async () => {
  const result = await limiter.consume('ann');
  expect(rateLimitFields(result, { policies })).toEqual({
    'RateLimit-Policy': '"burst";q=3;w=60, "daily";q=1000;w=86400, "odd";q=100',
    RateLimit: '"burst";r=2;t=66, "daily";r=999;t=86400, "odd";r=99;t=2',
  });
  expect(retryAfterSeconds(result)).toBeUndefined();
});

it('a denied one is told who denies, and Retry-After is not earlier', async () => {
  await limiter.consume('ann', { cost: 3 });
  clock.advance(20_100);
  const result = await limiter.consume('ann');
  const fields = rateLimitFields(result, { policies });
  const at = Number(/t=(\d+)/.exec(fields['RateLimit'] ?? '')?.[1]);
  expect(fields['RateLimit']).toBe(`"burst";r=0;t=${at}`);
  expect(fields['Retry-After']).toBe(String(at));
  expect(at * 1_000).toBeGreaterThanOrEqual(result.retryAfterMs);
  expect(limitProblem(result, { instance: '/orders' })).toEqual({
    type: 'https://iana.org/assignments/http-problem-types#quota-exceeded',
    title: 'Too many requests',
    status: 429,
    detail: `Try again in ${at} s.`,
    instance: '/orders',
    'violated-policies': ['burst'],
  });
});

it('legacy fields give the deciding policy and the moment in seconds since 1970', async () => {
  const result = await limiter.consume('ann');
  expect(rateLimitFields(result, { form: 'legacy', nowMs: 1_700_000_000_001 })).toEqual({
    'X-RateLimit-Limit': '3',
    'X-RateLimit-Remaining': '2',
    'X-RateLimit-Reset': '1700000067',
  });
  expect(Object.keys(rateLimitFields(result, { form: 'both' }))).toHaveLength(5);
});

it('a cost that never passes has no Retry-After', async () => {
  const result = await limiter.consume('ann', { cost: 4 });
  expect(rateLimitFields(result)['Retry-After']).toBeUndefined();
  expect(rateLimitFields(result)['RateLimit']).toBe('"burst";r=3');
  expect(limitProblem(result)).toMatchObject({ status: 429, detail: 'Repeating the request is of no use.' });
});

it('a blocked subject is not told of policies that it does not exceed', async () => {
  await limiter.block('ann', '90s');
  const result = await limiter.consume('ann');
  expect(rateLimitFields(result, { policies })['Retry-After']).toBe('90');
  expect(limitProblem(result)).toMatchObject({
    type: 'https://iana.org/assignments/http-problem-types#abnormal-usage-detected',
    status: 429,
  });
});

it('without Redis nothing is made up, and the fault is not the client’s', () => {
  const uncounted = { policies: [], shadowed: false, resetMs: 0, policy: undefined } as const;
  const open: LimitResult = {
    ...uncounted,
    allowed: true,
    limit: Infinity,
    remaining: Infinity,
    retryAfterMs: 0,
    source: 'open',
  };
  const closed: LimitResult = {
    ...uncounted,
    allowed: false,
    limit: 0,
    remaining: 0,
    retryAfterMs: 1_000,
    source: 'closed',
  };
  expect(rateLimitFields(open, { form: 'both', policies })).toEqual({});
  expect(rateLimitFields(closed, { form: 'both', policies })).toEqual({ 'Retry-After': '1' });
  expect(limitProblem(closed)).toMatchObject({
    status: 503,
    type: 'https://iana.org/assignments/http-problem-types#temporary-reduced-capacity',
  });
});
