import { createManualClock } from '@tierkit/core/testing';
import { createRedis, type RedisConnection } from '@tierkit/redis';
import fc from 'fast-check';
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { sharedRedis } from '../../../test/support/shared-redis.ts';
import { sleep } from '../../../test/support/sleep.ts';
import { createLimiter, fixedWindow, gcra, slidingWindow, tokenBucket, type Policy } from '../src/index.ts';
import { TOLERANCE } from '../src/algorithms/algorithm.ts';

let redis: RedisConnection;
beforeAll(async () => {
  redis = createRedis(sharedRedis());
  await redis.ready();
});
afterAll(() => redis.close());

const freshPrefix = (): string => `t${randomBytes(6).toString('hex')}:`;

const policyOf = (per: number) =>
  fc.oneof(
    fc.record({ limit: fc.integer({ min: 1, max: 12 }) }).map(({ limit }) => fixedWindow({ limit, per })),
    fc
      .record({ limit: fc.integer({ min: 1, max: 12 }), slots: fc.integer({ min: 2, max: 12 }) })
      .map(({ limit, slots }) => slidingWindow({ limit, slots, per })),
    fc
      .record({ limit: fc.integer({ min: 1, max: 12 }) })
      .map(({ limit }) => slidingWindow({ limit, exact: true, per })),
    fc
      .record({ capacity: fc.integer({ min: 1, max: 12 }), refill: fc.integer({ min: 1, max: 12 }) })
      .map(({ capacity, refill }) => tokenBucket({ capacity, refill, per })),
    fc
      .record({ limit: fc.integer({ min: 1, max: 12 }), burst: fc.integer({ min: 1, max: 12 }) })
      .map(({ limit, burst }) => gcra({ limit, burst, per })),
  );

const named = (policies: readonly Policy[]): Policy[] => policies.map((policy, i) => ({ ...policy, name: `p${i}` }));

const callOf = fc.record({
  call: fc.constantFrom('consume', 'consume', 'consume', 'consume', 'peek', 'refund', 'reset'),
  cost: fc.integer({ min: 1, max: 4 }),
  id: fc.option(fc.constantFrom('a', 'b'), { nil: undefined }),
  subject: fc.constantFrom('ann', 'bob'),
} as const);

it('memory and Redis decide the same, whatever is asked, as long as no time is to matter', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(policyOf(86_400_000 * 365), { minLength: 1, maxLength: 4 }),
      fc.array(callOf, { maxLength: 25 }),
      async (made, calls) => {
        const policies = named(made);
        const remote = createLimiter('m', policies, { redis, prefix: freshPrefix(), shield: false });
        const local = createLimiter('m', policies, { redis: 'memory', clock: createManualClock() });
        for (const { call, subject, cost, id } of calls) {
          if (call === 'reset') {
            await Promise.all([remote.reset(subject), local.reset(subject)]);
            continue;
          }
          if (call === 'refund') {
            const given = await Promise.all([
              remote.refund(subject, { cost, id }),
              local.refund(subject, { cost, id }),
            ]);
            expect(given[0]).toBe(given[1]);
            continue;
          }
          const [there, here] = await Promise.all([
            remote[call](subject, { cost, id }),
            local[call](subject, { cost, id }),
          ]);
          expect(there.allowed).toBe(here.allowed);
          expect(there.policies.map(({ remaining }) => remaining)).toEqual(
            here.policies.map(({ remaining }) => remaining),
          );
          expect(there.retryAfterMs === Infinity).toBe(here.retryAfterMs === Infinity);
        }
        await Promise.all([remote.close(), local.close()]);
      },
    ),
    { numRuns: 30 },
  );
});

interface Counted {
  readonly earlyUs: number;
  readonly lateUs: number;
  readonly cost: number;
}

/**
 * What the formulas of memory say of a history of which it is known between which two times Redis counted each cost: the
 * least that can be counted now, with every time as early and now as late as it can be, and the most, the other way round.
 */
function bounds(policy: Policy, history: readonly Counted[], earlyUs: number, lateUs: number): [number, number] {
  const parameters = policy.parameters(policy.limit);
  const used = (timeOf: (counted: Counted) => number, nowUs: number): number => {
    const meter = policy.algorithm.meter();
    for (const counted of history) {
      meter.used(timeOf(counted), parameters);
      meter.add(timeOf(counted), parameters, counted.cost);
    }
    return meter.used(nowUs, parameters);
  };
  return [used((counted) => counted.earlyUs, lateUs), used((counted) => counted.lateUs, earlyUs)];
}

const microseconds = ([seconds, rest]: (string | number)[]): number => Number(seconds) * 1_000_000 + Number(rest);

it('as time passes, Redis decides what the formulas say of the time in which it was asked', async () => {
  let compared = 0;
  let between = 0;
  await fc.assert(
    fc.asyncProperty(
      policyOf(40),
      fc.array(fc.record({ restMs: fc.integer({ min: 0, max: 12 }), cost: fc.integer({ min: 1, max: 3 }) }), {
        minLength: 5,
        maxLength: 15,
      }),
      async (policy, calls) => {
        const limiter = createLimiter('m', [policy], { redis, prefix: freshPrefix(), shield: false });
        const [most = 0] = policy.parameters(policy.limit);
        const history: Counted[] = [];
        // A script that the server does not know yet is sent again, after the second time was read.
        await limiter.consume('somebody else');
        for (const { restMs, cost } of calls) {
          if (restMs > 6) await sleep(restMs);
          const [before, { allowed, source }, after] = await Promise.all([
            redis.execute((client) => client.time()),
            limiter.consume('ann', { cost }),
            redis.execute((client) => client.time()),
          ]);
          expect(source).toBe('redis');
          const [earlyUs, lateUs] = [microseconds(before), microseconds(after)];
          const fits = bounds(policy, history, earlyUs, lateUs).map((used) => used + cost <= most + TOLERANCE);
          if (fits[0] === fits[1]) {
            expect(allowed).toBe(fits[0]);
            compared++;
          } else {
            between++;
            // Where a window may have ended or not, nothing can be said of what follows.
            if (policy.kind === 'fixed-window') break;
          }
          if (allowed) history.push({ earlyUs, lateUs, cost });
        }
        await limiter.close();
      },
    ),
    { numRuns: 20 },
  );
  expect(compared).toBeGreaterThan(10 * between);
});
