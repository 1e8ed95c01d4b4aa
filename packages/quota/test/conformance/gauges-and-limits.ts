import { expect, it } from 'vitest';
import type { QuotaWorld } from './world.ts';

/** Of gauges, of limits that are stored or given, and of beginning anew. */
export function limitConformance(world: QuotaWorld): void {
  it('a gauge takes and gives back, is clamped at 0, and is set to what it really is', async () => {
    const user = world.subject();
    expect((await world.quota.add(user, { stored_bytes: 800 })).usage.stored_bytes.gauge.used).toBe(800);
    const refused = await world.quota.add(user, { stored_bytes: 300 });
    expect(refused.refusal).toMatchObject({ metric: 'stored_bytes', period: 'gauge', retryAfterMs: Infinity });
    expect((await world.quota.add(user, { stored_bytes: -500 })).usage.stored_bytes.gauge).toMatchObject({
      used: 300,
      remaining: 700,
      endMs: Infinity,
    });
    expect(await world.quota.add(user, { stored_bytes: -400 })).toMatchObject({ charged: { stored_bytes: -300 } });
    expect((await world.quota.usage(user)).stored_bytes.gauge.used).toBe(0);
    expect((await world.quota.set(user, { stored_bytes: 5_000 })).stored_bytes.gauge).toMatchObject({
      used: 5_000,
      remaining: 0,
    });
    expect((await world.quota.add(user, { stored_bytes: -4_500 })).usage.stored_bytes.gauge.used).toBe(500);
    expect((await world.quota.set(user, { stored_bytes: 20 })).stored_bytes.gauge.used).toBe(20);
  });

  it('lets a subject begin its periods anew, all metrics or some, and tells thresholds again', async () => {
    const [user, other] = [world.subject(), world.subject()];
    for (const who of [user, other]) {
      await world.quota.add(who, { api_calls: 10, cost_micros: 900, stored_bytes: 300 }, { id: 'first' });
    }
    await world.quota.setLimits(user, { tokens: 7 });
    const { hold } = await world.quota.reserve(user, { cost_micros: 100 });
    expect((await world.quota.add(user, { api_calls: 1 })).allowed).toBe(false);
    const some = await world.quota.reset(user, { metrics: ['api_calls'] });
    expect(some).toMatchObject({ api_calls: { day: { used: 0, limit: 10, remaining: 10 } } });
    expect(Object.keys(some)).toEqual(['api_calls']);
    expect((await world.quota.usage(user)).cost_micros.month.used).toBe(900);
    const { crossed } = await world.quota.add(user, { api_calls: 10 });
    expect(crossed.map(({ threshold }) => threshold)).toEqual([0.8, 1]);

    const all = await world.quota.reset(user);
    expect(all.cost_micros).toMatchObject({ day: { used: 0, held: 100 }, month: { used: 0, held: 100 } });
    expect(Object.keys(all)).not.toContain('stored_bytes');
    const usage = await world.quota.usage(user);
    expect(usage.api_calls.day.used).toBe(0);
    expect(usage.stored_bytes.gauge.used).toBe(300);
    expect(usage.tokens.day.limit).toBe(7);
    const repeat = await world.quota.add(user, { api_calls: 10, cost_micros: 900, stored_bytes: 300 }, { id: 'first' });
    expect(repeat).toMatchObject({ allowed: true, repeated: true });
    expect((await world.quota.usage(user)).api_calls.day.used).toBe(0);
    await hold?.commit({ cost_micros: 60 });
    expect((await world.quota.usage(user)).cost_micros).toMatchObject({
      day: { used: 60, held: 0 },
      month: { used: 60 },
    });
    expect((await world.quota.usage(other)).api_calls.day.used).toBe(10);
  });

  it('resets no gauge, and what is no metric', async () => {
    const user = world.subject();
    await world.quota.add(user, { api_calls: 1, stored_bytes: 2 });
    for (const name of ['stored_bytes', 'none', 'constructor']) {
      const refused = world.quota.reset(user, { metrics: ['api_calls', name as 'api_calls'] });
      await expect(refused).rejects.toMatchObject({ code: 'ERR_QUOTA_AMOUNTS' });
    }
    await expect(world.quota.reset(user, { metrics: 'api_calls' as never })).rejects.toMatchObject({
      code: 'ERR_QUOTA_AMOUNTS',
    });
    await expect(world.quota.reset('')).rejects.toMatchObject({ code: 'ERR_KEY_INVALID' });
    expect(await world.quota.usage(user)).toMatchObject({ api_calls: { day: { used: 1 } } });
  });

  it('a stored limit goes before the definition, one of the call before both', async () => {
    const user = world.subject();
    await world.quota.setLimits(user, { api_calls: 2, cost_micros: { month: 50 }, stored_bytes: Infinity });
    const { limit } = (await world.quota.usage(user)).api_calls.day;
    expect(limit).toBe(2);
    expect((await world.quota.add(user, { api_calls: 3 })).allowed).toBe(false);
    expect((await world.quota.add(user, { cost_micros: 51 })).refusal).toMatchObject({ period: 'month', limit: 50 });
    expect((await world.quota.add(user, { stored_bytes: 10 ** 12 })).usage.stored_bytes.gauge.limit).toBe(Infinity);
    expect((await world.quota.add(user, { api_calls: 3 }, { limits: { api_calls: 3 } })).allowed).toBe(true);
    await world.quota.setLimits(user, { api_calls: null, cost_micros: { month: null } });
    const usage = await world.quota.usage(user);
    expect(usage.api_calls.day.limit).toBe(10);
    expect(usage.cost_micros.month.limit).toBe(1_500);
    await world.quota.setLimits(user, { api_calls: 0 });
    expect((await world.quota.add(user, { api_calls: 1 })).refusal).toMatchObject({ never: true, limit: 0 });
  });
}
