import { createManualClock } from '@tierkit/core/testing';
import { expect, it } from 'vitest';
import { createQuota } from '../src/index.ts';
import { MemoryStore } from '../src/stores/memory-store.ts';

const HOUR_MS = 3_600_000;

it('counts a day of 23 and one of 25 hours to their ends', async () => {
  for (const [date, hours] of [
    ['2026-03-28T23:00:00Z', 23],
    ['2026-10-24T22:00:00Z', 25],
  ] as const) {
    const clock = createManualClock(Date.parse(date));
    const quota = createQuota(
      { calls: { per: 'day', limit: 1 } },
      { redis: 'memory', clock, timeZone: 'Europe/Berlin' },
    );
    expect((await quota.add('u', { calls: 1 })).usage.calls.day.resetMs).toBe(hours * HOUR_MS);
    clock.advance(hours * HOUR_MS - 1);
    const late = await quota.add('u', { calls: 1 });
    expect(late).toMatchObject({ allowed: false, refusal: { retryAfterMs: 1 } });
    clock.advance(1);
    expect((await quota.add('u', { calls: 1 })).allowed).toBe(true);
  }
});

it('counts billing months from day 31, for each plan from its own day and in its own zone', async () => {
  const clock = createManualClock(Date.parse('2026-02-28T04:59:00Z'));
  interface Plan {
    readonly since: Date;
    readonly zone: string;
  }
  const plans: Readonly<Record<string, Plan>> = {
    ann: { since: new Date('2026-01-31T05:00:00Z'), zone: 'America/New_York' },
    bo: { since: new Date('2026-01-10T00:00:00Z'), zone: 'Asia/Tokyo' },
  };
  const quota = createQuota(
    { cost: { per: { name: 'billing', every: 'month', anchor: (plan: Plan) => plan.since }, limit: 100 } },
    { redis: 'memory', clock, plan: (user: string) => plans[user] as Plan, timeZone: (plan) => plan.zone },
  );
  await quota.add('ann', { cost: 100 });
  const { billing } = (await quota.add('bo', { cost: 100 })).usage.cost;
  expect(new Date(billing.startMs).toISOString()).toBe('2026-02-10T00:00:00.000Z');
  clock.advance(60_000);
  const next = await quota.add('ann', { cost: 100 });
  expect(next.allowed).toBe(true);
  expect(new Date(next.usage.cost.billing.endMs).toISOString()).toBe('2026-03-31T04:00:00.000Z');
  expect((await quota.add('bo', { cost: 1 })).allowed).toBe(false);
});

it('remembers an id for idTtl, across the end of its period', async () => {
  const clock = createManualClock(Date.parse('2026-05-01T23:59:00Z'));
  const quota = createQuota({ calls: { per: 'day', limit: 5 } }, { redis: 'memory', clock, idTtl: '1h' });
  await quota.add('u', { calls: 2 }, { id: 'a' });
  clock.advance(59 * 60_000);
  expect(await quota.add('u', { calls: 2 }, { id: 'a' })).toMatchObject({ repeated: true });
  expect((await quota.usage('u')).calls.day.used).toBe(0);
  clock.advance(60_000);
  expect(await quota.add('u', { calls: 2 }, { id: 'a' })).toMatchObject({ repeated: false });
});

it('lets a hold expire on time, and not before', async () => {
  const clock = createManualClock(Date.parse('2026-05-01T00:00:00Z'));
  const quota = createQuota({ calls: { per: 'day', limit: 5 } }, { redis: 'memory', clock, holdTtl: '1m' });
  const { hold } = await quota.reserve('u', { calls: 5 });
  clock.advance(59_999);
  expect((await quota.add('u', { calls: 1 })).allowed).toBe(false);
  clock.advance(1);
  expect((await quota.add('u', { calls: 5 })).allowed).toBe(true);
  expect(await hold?.commit()).toMatchObject({ status: 'expired' });
});

it('keeps a window for 35 days, then forgets it and subjects that have nothing left', async () => {
  const clock = createManualClock(Date.parse('2026-05-01T12:00:00Z'));
  const quota = createQuota({ calls: { per: 'day', limit: 5 } }, { redis: 'memory', clock });
  await quota.add('u', { calls: 5 });
  const from = clock.now();
  clock.advance(35 * 24 * HOUR_MS);
  expect((await quota.usage('u', { from, to: from + 1 })).calls.day[0]?.used).toBe(5);
  clock.advance(12 * HOUR_MS);
  expect((await quota.usage('u', { from, to: from + 1 })).calls.day[0]?.used).toBe(0);

  const store = new MemoryStore(clock);
  const window = { startMs: clock.now(), endMs: clock.now() + 1_000 };
  const row = { period: 'second', window, limit: 5, fixed: false, thresholds: [] };
  const items = [{ metric: 'calls', amount: 1, overflow: 'reject', rows: [row] }] as const;
  const charge = (subject: string) =>
    store.decide({ verb: 'add', subject, id: '', call: 'c', idTtlMs: 1, holdTtlMs: 1, items });
  for (let i = 0; i < 100; i++) await charge(`u${i}`);
  expect(store.size).toBe(100);
  clock.advance(36 * 24 * HOUR_MS);
  for (let i = 0; i < 110; i++) await charge('last');
  expect(store.size).toBe(1);
});
