import { expect, it } from 'vitest';
import type { QuotaWorld } from './world.ts';

/** Of what is told as a threshold is reached. */
export function thresholdConformance(world: QuotaWorld): void {
  it('calls back once for each threshold of a period', async () => {
    const user = world.subject();
    const amounts = [5, 2, 1, 1, 1];
    for (const amount of amounts) await world.quota.add(user, { api_calls: amount });
    await world.quota.setLimits(user, { api_calls: 20 });
    await world.quota.add(user, { api_calls: 10 });
    const mine = world.told.filter((each) => each.subject === user);
    expect(mine.map(({ threshold, used, limit, period }) => [threshold, used, limit, period])).toEqual([
      [0.8, 8, 10, 'day'],
      [1, 10, 10, 'day'],
    ]);
  });

  it('calls back once for calls that repeat an id at the same time', async () => {
    const user = world.subject();
    const calls = Array.from({ length: 10 }, () => world.quota.add(user, { api_calls: 9 }, { id: 'same' }));
    const repeated = (await Promise.all(calls)).filter((charge) => charge.repeated);
    expect(repeated).toHaveLength(9);
    expect(world.told.filter((each) => each.subject === user)).toMatchObject([{ threshold: 0.8, used: 9 }]);
  });

  it('calls back for each of several thresholds, metrics and periods, and for a commit', async () => {
    const user = world.subject();
    const { hold } = await world.quota.reserve(user, { cost_micros: 1_000, api_calls: 8 });
    expect(world.told.filter((each) => each.subject === user)).toEqual([]);
    const settled = await hold?.commit();
    const names = (settled?.crossed ?? []).map(({ metric, period, threshold }) => `${metric} ${period} ${threshold}`);
    expect(names.sort()).toEqual(['api_calls day 0.8', 'cost_micros day 0.8', 'cost_micros day 1']);
    expect(world.told.filter((each) => each.subject === user)).toEqual(settled?.crossed);
  });

  it('calls back for a gauge whenever it is reached from below', async () => {
    const user = world.subject();
    const amounts = [850, 10, -200, 200, -500];
    for (const amount of amounts) await world.quota.add(user, { stored_bytes: amount });
    await world.quota.set(user, { stored_bytes: 1_010 });
    const levels = world.told.filter((each) => each.subject === user).map(({ threshold, used }) => [threshold, used]);
    expect(levels).toEqual([
      [0.8, 850],
      [0.8, 860],
      [0.8, 1_010],
      [1, 1_010],
    ]);
  });
}
