import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { sharedRedis } from '../../../test/support/shared-redis.ts';
import { createQuota, type Overflow, type Quota } from '../src/index.ts';

const metrics = {
  calls: { per: ['day', 'year'], limit: { day: 20, year: 30 }, thresholds: [0.5, 0.8, 1] },
  tokens: { per: 'year', limit: 25, overflow: 'partial' },
  bytes: { gauge: true, limit: 20 },
} as const;

type Step = (quota: Quota<typeof metrics>, subject: string) => Promise<unknown>;

const overflow = fc.constantFrom<Overflow | undefined>(undefined, undefined, 'reject', 'partial', 'allow');
const id = fc.constantFrom(undefined, 'a', 'b', 'c');
const amounts = fc.record(
  { calls: fc.nat(12), tokens: fc.nat(12), bytes: fc.integer({ min: -12, max: 12 }) },
  { requiredKeys: [] },
);
const held = fc.record({ calls: fc.nat(12), bytes: fc.nat(12) }, { requiredKeys: [] });
const limit = fc.constantFrom<number | null>(null, 0, 5, 15, 40, Infinity);
const given = <T>(value: T | undefined, name: string): object => (value === undefined ? {} : { [name]: value });

const step: fc.Arbitrary<readonly [string, Step]> = fc.oneof(
  fc
    .tuple(amounts, id, overflow)
    .map(([what, key, how]): readonly [string, Step] => [
      `add ${JSON.stringify([what, key, how])}`,
      (quota, subject) => quota.add(subject, what, { ...given(key, 'id'), ...given(how, 'overflow') }),
    ]),
  fc
    .tuple(held, id)
    .map(([what, key]): readonly [string, Step] => [
      `reserve ${JSON.stringify([what, key])}`,
      (quota, subject) => quota.reserve(subject, what, { id: key ?? 'd' }),
    ]),
  fc
    .tuple(held, id, overflow)
    .map(([what, key, how]): readonly [string, Step] => [
      `commit ${JSON.stringify([what, key, how])}`,
      (quota, subject) => quota.commit(subject, key ?? 'd', what, given(how, 'overflow')),
    ]),
  id.map((key): readonly [string, Step] => [`release ${key}`, (quota, subject) => quota.release(subject, key ?? 'd')]),
  fc
    .nat(30)
    .map((bytes): readonly [string, Step] => [`set ${bytes}`, (quota, subject) => quota.set(subject, { bytes })]),
  fc
    .tuple(limit, limit)
    .map(([day, bytes]): readonly [string, Step] => [
      `limits ${day} ${bytes}`,
      (quota, subject) => quota.setLimits(subject, { calls: { day }, bytes }),
    ]),
  fc
    .subarray<'calls' | 'tokens'>(['calls', 'tokens'])
    .map((names): readonly [string, Step] => [
      `reset ${names.join()}`,
      (quota, subject) => quota.reset(subject, { metrics: names }),
    ]),
  fc.constant<readonly [string, Step]>(['usage', (quota, subject) => quota.usage(subject)]),
);

const prefix = `t${randomBytes(6).toString('hex')}:`;
const redis = createQuota(metrics, { redis: sharedRedis(), prefix });
const memory = createQuota(metrics, { redis: 'memory' });
beforeAll(() => redis.ready());
afterAll(() => Promise.all([redis.close(), memory.close()]));

/** An outcome without what depends on the moment and on who answered. */
async function outcomeOf(step: Step, quota: Quota<typeof metrics>, subject: string): Promise<unknown> {
  const outcome = await step(quota, subject).catch((error: unknown) => ({ code: (error as { code: string }).code }));
  return JSON.parse(
    JSON.stringify(outcome ?? null, (name, value: unknown) =>
      ['resetMs', 'retryAfterMs', 'expiresMs', 'source'].includes(name) ? undefined : value,
    ),
  );
}

it('Redis answers every call as the memory store does, and nothing exceeds a limit', async () => {
  let count = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
      const subject = `u${count++}`;
      for (const [name, run] of steps) {
        const [here, there] = await Promise.all([outcomeOf(run, memory, subject), outcomeOf(run, redis, subject)]);
        expect([name, there]).toEqual([name, here]);
      }
      expect(await outcomeOf((quota) => quota.usage(subject), redis, subject)).toEqual(
        await outcomeOf((quota) => quota.usage(subject), memory, subject),
      );
    }),
    { numRuns: 100 },
  );
}, 60_000);
