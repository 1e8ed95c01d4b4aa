import { expect, it } from 'vitest';
import { sleep } from '../../../../test/support/sleep.ts';
import type { QuotaWorld } from './world.ts';

/** Of what is added, and refused. */
export function countingConformance(world: QuotaWorld): void {
  it('counts up to the limit and refuses what would exceed it, at no cost', async () => {
    const user = world.subject();
    const first = await world.quota.add(user, { api_calls: 7 });
    expect(first).toMatchObject({ allowed: true, repeated: false, charged: { api_calls: 7 } });
    expect(first.usage.api_calls.day).toMatchObject({ used: 7, held: 0, limit: 10, remaining: 3 });
    const second = await world.quota.add(user, { api_calls: 4 });
    expect(second).toMatchObject({ allowed: false, charged: { api_calls: 0 } });
    expect(second.refusal).toMatchObject({
      metric: 'api_calls',
      period: 'day',
      requested: 4,
      limit: 10,
      remaining: 3,
    });
    const { startMs, endMs, resetMs } = second.usage.api_calls.day;
    expect(endMs - startMs).toBe(86_400_000);
    expect(second.refusal).toMatchObject({ retryAfterMs: resetMs, never: false });
    expect((await world.quota.add(user, { api_calls: 3 })).usage.api_calls.day).toMatchObject({
      used: 10,
      remaining: 0,
    });
    expect((await world.quota.add(user, { api_calls: 1 })).allowed).toBe(false);
  });

  it('says that an amount above the limit can never pass', async () => {
    const { allowed, refusal } = await world.quota.add(world.subject(), { api_calls: 11 });
    expect(allowed).toBe(false);
    expect(refusal).toMatchObject({ never: true, retryAfterMs: Infinity });
  });

  it('counts several metrics and periods together or not at all', async () => {
    const user = world.subject();
    expect((await world.quota.add(user, { api_calls: 1, cost_micros: 900 })).allowed).toBe(true);
    const day = await world.quota.add(user, { api_calls: 1, cost_micros: 200 });
    expect(day.allowed).toBe(false);
    expect(day.refusal).toMatchObject({ metric: 'cost_micros', period: 'day', remaining: 100 });
    const month = await world.quota.add(
      user,
      { api_calls: 1, cost_micros: 700 },
      { limits: { cost_micros: { day: 5_000 } } },
    );
    expect(month.refusal).toMatchObject({ metric: 'cost_micros', period: 'month', remaining: 600 });
    const usage = await world.quota.usage(user);
    expect(usage.api_calls.day.used).toBe(1);
    expect(usage.cost_micros.day.used).toBe(900);
    expect(usage.cost_micros.month.used).toBe(900);
  });

  it('keeps subjects apart', async () => {
    const [one, other] = [world.subject(), world.subject()];
    await world.quota.add(one, { api_calls: 10 });
    expect((await world.quota.add(other, { api_calls: 10 })).allowed).toBe(true);
  });

  it('counts a repeat of an id once and gives the same answer', async () => {
    const user = world.subject();
    const id = 'request 1';
    const first = await world.quota.add(user, { api_calls: 4, cost_micros: 10 }, { id });
    await world.quota.add(user, { api_calls: 1 });
    const repeat = await world.quota.add(user, { api_calls: 4, cost_micros: 10 }, { id });
    const { resetMs: _a, ...before } = first.usage.api_calls.day;
    const { resetMs: _b, ...after } = repeat.usage.api_calls.day;
    expect(repeat).toMatchObject({ allowed: true, repeated: true, charged: first.charged });
    expect(after).toEqual(before);
    expect((await world.quota.usage(user)).api_calls.day.used).toBe(5);
  });

  it('does not take an id for two different charges', async () => {
    const user = world.subject();
    await world.quota.add(user, { api_calls: 1 }, { id: 'a' });
    const other = { code: 'ERR_QUOTA_ID_CONFLICT' };
    await expect(world.quota.add(user, { api_calls: 2 }, { id: 'a' })).rejects.toMatchObject(other);
    await expect(world.quota.reserve(user, { api_calls: 1 }, { id: 'a' })).rejects.toMatchObject(other);
    expect((await world.quota.usage(user)).api_calls.day.used).toBe(1);
  });

  it('decides an id anew that was refused', async () => {
    const user = world.subject();
    await world.quota.add(user, { api_calls: 10 });
    expect((await world.quota.add(user, { api_calls: 1 }, { id: 'a' })).allowed).toBe(false);
    await world.quota.setLimits(user, { api_calls: 11 });
    expect(await world.quota.add(user, { api_calls: 1 }, { id: 'a' })).toMatchObject({
      allowed: true,
      repeated: false,
    });
  });

  it('counts what fits of a partial amount, and refuses when nothing does', async () => {
    const user = world.subject();
    expect(await world.quota.add(user, { tokens: 130 })).toMatchObject({ allowed: true, charged: { tokens: 100 } });
    const { allowed, refusal } = await world.quota.add(user, { tokens: 1 });
    expect(allowed).toBe(false);
    expect(refusal).toMatchObject({ metric: 'tokens', never: false });
  });

  it('counts all of an allowed amount', async () => {
    const user = world.subject();
    const charge = await world.quota.add(user, { overage: 25 });
    expect(charge).toMatchObject({ allowed: true, charged: { overage: 25 } });
    expect(charge.usage.overage.day).toMatchObject({ used: 25, limit: 10, remaining: 0 });
    expect((await world.quota.add(user, { api_calls: 11 }, { overflow: 'allow' })).allowed).toBe(true);
  });

  it('is exact up to 2^53 - 1 and counts nothing beyond', async () => {
    const user = world.subject();
    const most = Number.MAX_SAFE_INTEGER;
    await world.quota.add(user, { unlimited: most - 3 });
    expect((await world.quota.add(user, { unlimited: 2 })).usage.unlimited.day.used).toBe(most - 1);
    expect((await world.quota.add(user, { unlimited: 2 })).allowed).toBe(false);
    expect((await world.quota.add(user, { unlimited: 2 }, { overflow: 'allow' })).allowed).toBe(false);
    expect((await world.quota.add(user, { unlimited: 1 })).usage.unlimited.day.used).toBe(most);
    await world.quota.setLimits(user, { overage: most });
    expect((await world.quota.add(user, { overage: most })).usage.overage.day).toMatchObject({
      used: most,
      limit: most,
    });
  });

  it('counts nothing for 0, even at the limit', async () => {
    const user = world.subject();
    await world.quota.add(user, { api_calls: 10 });
    expect(await world.quota.add(user, { api_calls: 0, cost_micros: 5 })).toMatchObject({ allowed: true });
  });

  it('begins anew with each period', async () => {
    const user = world.subject();
    const first = await world.quota.add(user, { seconds: 3 });
    for (;;) {
      const { allowed, usage } = await world.quota.add(user, { seconds: 3 });
      if (!allowed) {
        await sleep(20);
        continue;
      }
      expect(usage.seconds.second.startMs).toBeGreaterThanOrEqual(first.usage.seconds.second.endMs);
      expect(usage.seconds.second.used).toBe(3);
      break;
    }
  });

  it('lists what was used in the periods of a range', async () => {
    const user = world.subject();
    await world.quota.add(user, { api_calls: 3, cost_micros: 40 });
    const now = Date.now();
    const history = await world.quota.usage(user, {
      from: now - 3 * 86_400_000,
      to: now,
      metrics: ['api_calls', 'cost_micros'],
    });
    expect(history.api_calls.day.map(({ used }) => used)).toEqual([0, 0, 0, 3]);
    expect(history.cost_micros.month.at(-1)).toMatchObject({ used: 40 });
    await expect(world.quota.usage(user, { from: 0 })).rejects.toMatchObject({ code: 'ERR_QUOTA_RANGE' });
    await expect(world.quota.usage(user, { from: now, to: now })).rejects.toMatchObject({ code: 'ERR_QUOTA_RANGE' });
  });

  it('takes any text as subject and id', async () => {
    const strange = ['a:b', 'a', 'a{b}', '*', 'ä ö', 'x'.repeat(2_000), '__proto__'];
    for (const name of strange) {
      const charge = await world.quota.add(name, { api_calls: 1 }, { id: name });
      expect(charge.usage.api_calls.day.used).toBe(1);
      const { hold } = await world.quota.reserve(name, { api_calls: 2 }, { id: `hold ${name}` });
      expect((await hold?.commit())?.status).toBe('committed');
    }
  });
}
