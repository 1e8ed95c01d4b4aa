import { expect, it } from 'vitest';
import { sleep } from '../../../../test/support/sleep.ts';
import type { QuotaWorld } from './world.ts';

/** Of what is reserved, and committed or released. */
export function holdConformance(world: QuotaWorld): void {
  it('a hold takes room until it is committed for what was really used', async () => {
    const user = world.subject();
    const { hold } = await world.quota.reserve(user, { cost_micros: 800, api_calls: 1 });
    expect((await world.quota.usage(user)).cost_micros.day).toMatchObject({ used: 0, held: 800, remaining: 200 });
    expect((await world.quota.add(user, { cost_micros: 300 })).allowed).toBe(false);
    expect((await world.quota.reserve(user, { cost_micros: 300 })).allowed).toBe(false);
    const settled = await hold?.commit({ cost_micros: 150 });
    expect(settled).toMatchObject({
      status: 'committed',
      repeated: false,
      charged: { cost_micros: 150, api_calls: 1 },
    });
    const usage = await world.quota.usage(user);
    expect(usage.cost_micros.day).toMatchObject({ used: 150, held: 0 });
    expect(usage.cost_micros.month).toMatchObject({ used: 150, held: 0 });
    expect(usage.api_calls.day).toMatchObject({ used: 1, held: 0 });
  });

  it('a released hold costs nothing', async () => {
    const user = world.subject();
    const { hold } = await world.quota.reserve(user, { cost_micros: 800 });
    expect(await hold?.release()).toMatchObject({ status: 'released', repeated: false });
    expect(await hold?.release()).toMatchObject({ status: 'released', repeated: true });
    expect(await hold?.commit()).toMatchObject({ status: 'released', repeated: true });
    expect((await world.quota.usage(user)).cost_micros.day).toMatchObject({ used: 0, held: 0 });
  });

  it('a repeated commit counts once, and by whoever knows the id', async () => {
    const user = world.subject();
    await world.quota.reserve(user, { cost_micros: 800 }, { id: 'job 7' });
    const first = await world.quota.commit(user, 'job 7', { cost_micros: 500 });
    const again = await world.quota.commit(user, 'job 7', { cost_micros: 800 });
    expect(first).toMatchObject({ status: 'committed', repeated: false, charged: { cost_micros: 500 } });
    expect(again).toMatchObject({ status: 'committed', repeated: true, charged: { cost_micros: 500 } });
    expect(await world.quota.release(user, 'job 7')).toMatchObject({ status: 'committed', repeated: true });
    expect((await world.quota.usage(user)).cost_micros.day).toMatchObject({ used: 500, held: 0 });
  });

  it('a repeated reserve holds once, and after a commit holds nothing more', async () => {
    const user = world.subject();
    const first = await world.quota.reserve(user, { cost_micros: 800 }, { id: 'job 8' });
    const second = await world.quota.reserve(user, { cost_micros: 800 }, { id: 'job 8' });
    expect(second).toMatchObject({ allowed: true, repeated: true });
    expect(second.hold?.expiresMs).toBe(first.hold?.expiresMs);
    expect((await world.quota.usage(user)).cost_micros.day.held).toBe(800);
    await second.hold?.commit({ cost_micros: 100 });
    const third = await world.quota.reserve(user, { cost_micros: 800 }, { id: 'job 8' });
    expect(third).toMatchObject({ allowed: true, repeated: true });
    expect(await third.hold?.commit({ cost_micros: 100 })).toMatchObject({ status: 'committed', repeated: true });
    expect((await world.quota.usage(user)).cost_micros.day).toMatchObject({ used: 100, held: 0 });
  });

  it('a released id can be reserved anew', async () => {
    const user = world.subject();
    const first = await world.quota.reserve(user, { cost_micros: 800 }, { id: 'job 9' });
    await first.hold?.release();
    const second = await world.quota.reserve(user, { cost_micros: 700 }, { id: 'job 9' });
    expect(second).toMatchObject({ allowed: true, repeated: false });
    expect(await second.hold?.commit()).toMatchObject({ status: 'committed', charged: { cost_micros: 700 } });
  });

  it('more than was held has to fit, unless the commit says otherwise', async () => {
    const user = world.subject();
    const { hold } = await world.quota.reserve(user, { cost_micros: 500 });
    await world.quota.add(user, { cost_micros: 400 });
    expect(await hold?.commit({ cost_micros: 600 })).toMatchObject({ status: 'committed' });
    const other = await world.quota.reserve(user, { cost_micros: 0 });
    const refused = await other.hold?.commit({ cost_micros: 1 });
    expect(refused).toMatchObject({ status: 'refused', charged: { cost_micros: 0 } });
    expect(refused?.refusal).toMatchObject({ period: 'day', remaining: 0 });
    expect(await other.hold?.commit({ cost_micros: 1 }, { overflow: 'allow' })).toMatchObject({
      status: 'committed',
    });
    expect((await world.quota.usage(user)).cost_micros.day.used).toBe(1_001);
  });

  it('what was held can be committed even if the limit is lower by now', async () => {
    const user = world.subject();
    const { hold } = await world.quota.reserve(user, { api_calls: 8 });
    await world.quota.setLimits(user, { api_calls: 5 });
    expect(await hold?.commit({ api_calls: 7 })).toMatchObject({ status: 'committed', charged: { api_calls: 7 } });
  });

  it('a hold that is not settled expires, and can no longer be committed', async () => {
    const user = world.subject();
    const { hold } = await world.quota.reserve(user, { cost_micros: 800 }, { ttl: '150ms', id: 'late' });
    await sleep(200);
    expect((await world.quota.usage(user)).cost_micros.day).toMatchObject({ used: 0, held: 0 });
    expect((await world.quota.add(user, { cost_micros: 900 })).allowed).toBe(true);
    expect(await hold?.commit()).toMatchObject({ status: 'expired', charged: {} });
    expect(await world.quota.commit(user, 'late')).toMatchObject({ status: 'expired' });
    expect((await world.quota.usage(user)).cost_micros.day.used).toBe(900);
    const anew = await world.quota.reserve(user, { cost_micros: 50 }, { id: 'late' });
    expect(anew).toMatchObject({ allowed: true, repeated: false });
  });

  it('an old handle does not settle a later hold of its id in other periods', async () => {
    const user = world.subject();
    const first = await world.quota.reserve(user, { seconds: 1 }, { id: 'x' });
    await first.hold?.release();
    const start = first.usage?.seconds.second.startMs;
    let second = await world.quota.reserve(user, { seconds: 1 }, { id: 'x' });
    while (second.usage.seconds.second.startMs === start) {
      await second.hold?.release();
      await sleep(20);
      second = await world.quota.reserve(user, { seconds: 1 }, { id: 'x' });
    }
    expect(await first.hold?.commit()).toMatchObject({ status: 'expired' });
    expect(await second.hold?.commit()).toMatchObject({ status: 'committed' });
  });

  it('a hold is counted in the periods in which it was made', async () => {
    const user = world.subject();
    const { hold, usage } = await world.quota.reserve(user, { seconds: 2 });
    const { startMs, endMs } = usage.seconds.second;
    while ((await world.quota.usage(user)).seconds.second.startMs === startMs) await sleep(20);
    expect(await hold?.commit()).toMatchObject({
      status: 'committed',
      usage: { seconds: { second: { startMs, used: 2 } } },
    });
    const past = await world.quota.usage(user, { from: startMs, to: endMs, metrics: ['seconds'] });
    expect(past.seconds.second).toEqual([{ startMs, endMs, used: 2 }]);
    expect((await world.quota.usage(user)).seconds.second.used).toBe(0);
  });

  it('a commit takes only metrics of the hold', async () => {
    const { hold } = await world.quota.reserve(world.subject(), { cost_micros: 5 });
    const actual = { api_calls: 1 } as object;
    await expect(hold?.commit(actual)).rejects.toMatchObject({ code: 'ERR_QUOTA_AMOUNTS' });
  });
}
