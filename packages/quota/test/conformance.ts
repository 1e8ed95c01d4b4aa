import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sleep } from '../../../test/support/sleep.ts';
import { createQuota, type Quota, type QuotaBackend, type QuotaThreshold } from '../src/index.ts';

export interface ConformanceTarget {
  readonly name: string;
  readonly redis: () => Promise<QuotaBackend>;
}

const metrics = {
  api_calls: { per: 'day', limit: 10 },
  cost_micros: { per: ['day', 'month'], limit: { day: 1_000, month: 1_500 } },
  tokens: { per: 'day', limit: 100, overflow: 'partial' },
  overage: { per: 'day', limit: 10, overflow: 'allow' },
  stored_bytes: { gauge: true, limit: 1_000 },
  seconds: { per: { name: 'second', every: '1s' }, limit: 3 },
  unlimited: { per: 'day', limit: Infinity },
} as const;

/** What every store promises: one test for each sentence of the port and of the interface. */
export function quotaConformance(target: ConformanceTarget): void {
  describe(target.name, () => {
    const told: QuotaThreshold[] = [];
    let quota: Quota<typeof metrics>;
    let count = 0;
    const subject = (): string => `user ${count++}`;

    beforeAll(async () => {
      const redis = await target.redis();
      const prefix = `t${randomBytes(6).toString('hex')}:`;
      quota = createQuota(metrics, { redis, prefix, onThreshold: (reached) => void told.push(reached) });
      await quota.ready('10s');
    });
    afterAll(() => quota.close());

    it('counts up to the limit and refuses what would exceed it, at no cost', async () => {
      const user = subject();
      const first = await quota.add(user, { api_calls: 7 });
      expect(first).toMatchObject({ allowed: true, repeated: false, charged: { api_calls: 7 } });
      expect(first.usage.api_calls.day).toMatchObject({ used: 7, held: 0, limit: 10, remaining: 3 });
      const second = await quota.add(user, { api_calls: 4 });
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
      expect((await quota.add(user, { api_calls: 3 })).usage.api_calls.day).toMatchObject({ used: 10, remaining: 0 });
      expect((await quota.add(user, { api_calls: 1 })).allowed).toBe(false);
    });

    it('says that an amount above the limit can never pass', async () => {
      const { allowed, refusal } = await quota.add(subject(), { api_calls: 11 });
      expect(allowed).toBe(false);
      expect(refusal).toMatchObject({ never: true, retryAfterMs: Infinity });
    });

    it('counts several metrics and periods together or not at all', async () => {
      const user = subject();
      expect((await quota.add(user, { api_calls: 1, cost_micros: 900 })).allowed).toBe(true);
      const day = await quota.add(user, { api_calls: 1, cost_micros: 200 });
      expect(day.allowed).toBe(false);
      expect(day.refusal).toMatchObject({ metric: 'cost_micros', period: 'day', remaining: 100 });
      const month = await quota.add(
        user,
        { api_calls: 1, cost_micros: 700 },
        { limits: { cost_micros: { day: 5_000 } } },
      );
      expect(month.refusal).toMatchObject({ metric: 'cost_micros', period: 'month', remaining: 600 });
      const usage = await quota.usage(user);
      expect(usage.api_calls.day.used).toBe(1);
      expect(usage.cost_micros.day.used).toBe(900);
      expect(usage.cost_micros.month.used).toBe(900);
    });

    it('keeps subjects apart', async () => {
      const [one, other] = [subject(), subject()];
      await quota.add(one, { api_calls: 10 });
      expect((await quota.add(other, { api_calls: 10 })).allowed).toBe(true);
    });

    it('counts a repeat of an id once and gives the same answer', async () => {
      const user = subject();
      const id = 'request 1';
      const first = await quota.add(user, { api_calls: 4, cost_micros: 10 }, { id });
      await quota.add(user, { api_calls: 1 });
      const repeat = await quota.add(user, { api_calls: 4, cost_micros: 10 }, { id });
      const { resetMs: _a, ...before } = first.usage.api_calls.day;
      const { resetMs: _b, ...after } = repeat.usage.api_calls.day;
      expect(repeat).toMatchObject({ allowed: true, repeated: true, charged: first.charged });
      expect(after).toEqual(before);
      expect((await quota.usage(user)).api_calls.day.used).toBe(5);
    });

    it('does not take an id for two different charges', async () => {
      const user = subject();
      await quota.add(user, { api_calls: 1 }, { id: 'a' });
      const other = { code: 'ERR_QUOTA_ID_CONFLICT' };
      await expect(quota.add(user, { api_calls: 2 }, { id: 'a' })).rejects.toMatchObject(other);
      await expect(quota.reserve(user, { api_calls: 1 }, { id: 'a' })).rejects.toMatchObject(other);
      expect((await quota.usage(user)).api_calls.day.used).toBe(1);
    });

    it('decides an id anew that was refused', async () => {
      const user = subject();
      await quota.add(user, { api_calls: 10 });
      expect((await quota.add(user, { api_calls: 1 }, { id: 'a' })).allowed).toBe(false);
      await quota.setLimits(user, { api_calls: 11 });
      expect(await quota.add(user, { api_calls: 1 }, { id: 'a' })).toMatchObject({ allowed: true, repeated: false });
    });

    it('counts what fits of a partial amount, and refuses when nothing does', async () => {
      const user = subject();
      expect(await quota.add(user, { tokens: 130 })).toMatchObject({ allowed: true, charged: { tokens: 100 } });
      const { allowed, refusal } = await quota.add(user, { tokens: 1 });
      expect(allowed).toBe(false);
      expect(refusal).toMatchObject({ metric: 'tokens', never: false });
    });

    it('counts all of an allowed amount', async () => {
      const user = subject();
      const charge = await quota.add(user, { overage: 25 });
      expect(charge).toMatchObject({ allowed: true, charged: { overage: 25 } });
      expect(charge.usage.overage.day).toMatchObject({ used: 25, limit: 10, remaining: 0 });
      expect((await quota.add(user, { api_calls: 11 }, { overflow: 'allow' })).allowed).toBe(true);
    });

    it('is exact up to 2^53 - 1 and counts nothing beyond', async () => {
      const user = subject();
      const most = Number.MAX_SAFE_INTEGER;
      await quota.add(user, { unlimited: most - 3 });
      expect((await quota.add(user, { unlimited: 2 })).usage.unlimited.day.used).toBe(most - 1);
      expect((await quota.add(user, { unlimited: 2 })).allowed).toBe(false);
      expect((await quota.add(user, { unlimited: 2 }, { overflow: 'allow' })).allowed).toBe(false);
      expect((await quota.add(user, { unlimited: 1 })).usage.unlimited.day.used).toBe(most);
      await quota.setLimits(user, { overage: most });
      expect((await quota.add(user, { overage: most })).usage.overage.day).toMatchObject({ used: most, limit: most });
    });

    it('counts nothing for 0, even at the limit', async () => {
      const user = subject();
      await quota.add(user, { api_calls: 10 });
      expect(await quota.add(user, { api_calls: 0, cost_micros: 5 })).toMatchObject({ allowed: true });
    });

    it('begins anew with each period', async () => {
      const user = subject();
      const first = await quota.add(user, { seconds: 3 });
      for (;;) {
        const { allowed, usage } = await quota.add(user, { seconds: 3 });
        if (!allowed) {
          await sleep(20);
          continue;
        }
        expect(usage.seconds.second.startMs).toBeGreaterThanOrEqual(first.usage.seconds.second.endMs);
        expect(usage.seconds.second.used).toBe(3);
        break;
      }
    });

    it('a gauge takes and gives back, is clamped at 0, and is set to what it really is', async () => {
      const user = subject();
      expect((await quota.add(user, { stored_bytes: 800 })).usage.stored_bytes.gauge.used).toBe(800);
      const refused = await quota.add(user, { stored_bytes: 300 });
      expect(refused.refusal).toMatchObject({ metric: 'stored_bytes', period: 'gauge', retryAfterMs: Infinity });
      expect((await quota.add(user, { stored_bytes: -500 })).usage.stored_bytes.gauge).toMatchObject({
        used: 300,
        remaining: 700,
        endMs: Infinity,
      });
      expect(await quota.add(user, { stored_bytes: -400 })).toMatchObject({ charged: { stored_bytes: -300 } });
      expect((await quota.usage(user)).stored_bytes.gauge.used).toBe(0);
      expect((await quota.set(user, { stored_bytes: 5_000 })).stored_bytes.gauge).toMatchObject({
        used: 5_000,
        remaining: 0,
      });
      expect((await quota.add(user, { stored_bytes: -4_500 })).usage.stored_bytes.gauge.used).toBe(500);
      expect((await quota.set(user, { stored_bytes: 20 })).stored_bytes.gauge.used).toBe(20);
    });

    it('lets a subject begin its periods anew, all metrics or some, and tells thresholds again', async () => {
      const [user, other] = [subject(), subject()];
      for (const who of [user, other]) {
        await quota.add(who, { api_calls: 10, cost_micros: 900, stored_bytes: 300 }, { id: 'first' });
      }
      await quota.setLimits(user, { tokens: 7 });
      const { hold } = await quota.reserve(user, { cost_micros: 100 });
      expect((await quota.add(user, { api_calls: 1 })).allowed).toBe(false);
      const some = await quota.reset(user, { metrics: ['api_calls'] });
      expect(some).toMatchObject({ api_calls: { day: { used: 0, limit: 10, remaining: 10 } } });
      expect(Object.keys(some)).toEqual(['api_calls']);
      expect((await quota.usage(user)).cost_micros.month.used).toBe(900);
      const { crossed } = await quota.add(user, { api_calls: 10 });
      expect(crossed.map(({ threshold }) => threshold)).toEqual([0.8, 1]);

      const all = await quota.reset(user);
      expect(all.cost_micros).toMatchObject({ day: { used: 0, held: 100 }, month: { used: 0, held: 100 } });
      expect(Object.keys(all)).not.toContain('stored_bytes');
      const usage = await quota.usage(user);
      expect(usage.api_calls.day.used).toBe(0);
      expect(usage.stored_bytes.gauge.used).toBe(300);
      expect(usage.tokens.day.limit).toBe(7);
      const repeat = await quota.add(user, { api_calls: 10, cost_micros: 900, stored_bytes: 300 }, { id: 'first' });
      expect(repeat).toMatchObject({ allowed: true, repeated: true });
      expect((await quota.usage(user)).api_calls.day.used).toBe(0);
      await hold?.commit({ cost_micros: 60 });
      expect((await quota.usage(user)).cost_micros).toMatchObject({ day: { used: 60, held: 0 }, month: { used: 60 } });
      expect((await quota.usage(other)).api_calls.day.used).toBe(10);
    });

    it('resets no gauge, and what is no metric', async () => {
      const user = subject();
      await quota.add(user, { api_calls: 1, stored_bytes: 2 });
      for (const name of ['stored_bytes', 'none', 'constructor']) {
        const refused = quota.reset(user, { metrics: ['api_calls', name as 'api_calls'] });
        await expect(refused).rejects.toMatchObject({ code: 'ERR_QUOTA_AMOUNTS' });
      }
      await expect(quota.reset(user, { metrics: 'api_calls' as never })).rejects.toMatchObject({
        code: 'ERR_QUOTA_AMOUNTS',
      });
      await expect(quota.reset('')).rejects.toMatchObject({ code: 'ERR_KEY_INVALID' });
      expect(await quota.usage(user)).toMatchObject({ api_calls: { day: { used: 1 } } });
    });

    it('a stored limit goes before the definition, one of the call before both', async () => {
      const user = subject();
      await quota.setLimits(user, { api_calls: 2, cost_micros: { month: 50 }, stored_bytes: Infinity });
      const { limit } = (await quota.usage(user)).api_calls.day;
      expect(limit).toBe(2);
      expect((await quota.add(user, { api_calls: 3 })).allowed).toBe(false);
      expect((await quota.add(user, { cost_micros: 51 })).refusal).toMatchObject({ period: 'month', limit: 50 });
      expect((await quota.add(user, { stored_bytes: 10 ** 12 })).usage.stored_bytes.gauge.limit).toBe(Infinity);
      expect((await quota.add(user, { api_calls: 3 }, { limits: { api_calls: 3 } })).allowed).toBe(true);
      await quota.setLimits(user, { api_calls: null, cost_micros: { month: null } });
      const usage = await quota.usage(user);
      expect(usage.api_calls.day.limit).toBe(10);
      expect(usage.cost_micros.month.limit).toBe(1_500);
      await quota.setLimits(user, { api_calls: 0 });
      expect((await quota.add(user, { api_calls: 1 })).refusal).toMatchObject({ never: true, limit: 0 });
    });

    it('a hold takes room until it is committed for what was really used', async () => {
      const user = subject();
      const { hold } = await quota.reserve(user, { cost_micros: 800, api_calls: 1 });
      expect((await quota.usage(user)).cost_micros.day).toMatchObject({ used: 0, held: 800, remaining: 200 });
      expect((await quota.add(user, { cost_micros: 300 })).allowed).toBe(false);
      expect((await quota.reserve(user, { cost_micros: 300 })).allowed).toBe(false);
      const settled = await hold?.commit({ cost_micros: 150 });
      expect(settled).toMatchObject({
        status: 'committed',
        repeated: false,
        charged: { cost_micros: 150, api_calls: 1 },
      });
      const usage = await quota.usage(user);
      expect(usage.cost_micros.day).toMatchObject({ used: 150, held: 0 });
      expect(usage.cost_micros.month).toMatchObject({ used: 150, held: 0 });
      expect(usage.api_calls.day).toMatchObject({ used: 1, held: 0 });
    });

    it('a released hold costs nothing', async () => {
      const user = subject();
      const { hold } = await quota.reserve(user, { cost_micros: 800 });
      expect(await hold?.release()).toMatchObject({ status: 'released', repeated: false });
      expect(await hold?.release()).toMatchObject({ status: 'released', repeated: true });
      expect(await hold?.commit()).toMatchObject({ status: 'released', repeated: true });
      expect((await quota.usage(user)).cost_micros.day).toMatchObject({ used: 0, held: 0 });
    });

    it('a repeated commit counts once, and by whoever knows the id', async () => {
      const user = subject();
      await quota.reserve(user, { cost_micros: 800 }, { id: 'job 7' });
      const first = await quota.commit(user, 'job 7', { cost_micros: 500 });
      const again = await quota.commit(user, 'job 7', { cost_micros: 800 });
      expect(first).toMatchObject({ status: 'committed', repeated: false, charged: { cost_micros: 500 } });
      expect(again).toMatchObject({ status: 'committed', repeated: true, charged: { cost_micros: 500 } });
      expect(await quota.release(user, 'job 7')).toMatchObject({ status: 'committed', repeated: true });
      expect((await quota.usage(user)).cost_micros.day).toMatchObject({ used: 500, held: 0 });
    });

    it('a repeated reserve holds once, and after a commit holds nothing more', async () => {
      const user = subject();
      const first = await quota.reserve(user, { cost_micros: 800 }, { id: 'job 8' });
      const second = await quota.reserve(user, { cost_micros: 800 }, { id: 'job 8' });
      expect(second).toMatchObject({ allowed: true, repeated: true });
      expect(second.hold?.expiresMs).toBe(first.hold?.expiresMs);
      expect((await quota.usage(user)).cost_micros.day.held).toBe(800);
      await second.hold?.commit({ cost_micros: 100 });
      const third = await quota.reserve(user, { cost_micros: 800 }, { id: 'job 8' });
      expect(third).toMatchObject({ allowed: true, repeated: true });
      expect(await third.hold?.commit({ cost_micros: 100 })).toMatchObject({ status: 'committed', repeated: true });
      expect((await quota.usage(user)).cost_micros.day).toMatchObject({ used: 100, held: 0 });
    });

    it('a released id can be reserved anew', async () => {
      const user = subject();
      const first = await quota.reserve(user, { cost_micros: 800 }, { id: 'job 9' });
      await first.hold?.release();
      const second = await quota.reserve(user, { cost_micros: 700 }, { id: 'job 9' });
      expect(second).toMatchObject({ allowed: true, repeated: false });
      expect(await second.hold?.commit()).toMatchObject({ status: 'committed', charged: { cost_micros: 700 } });
    });

    it('more than was held has to fit, unless the commit says otherwise', async () => {
      const user = subject();
      const { hold } = await quota.reserve(user, { cost_micros: 500 });
      await quota.add(user, { cost_micros: 400 });
      expect(await hold?.commit({ cost_micros: 600 })).toMatchObject({ status: 'committed' });
      const other = await quota.reserve(user, { cost_micros: 0 });
      const refused = await other.hold?.commit({ cost_micros: 1 });
      expect(refused).toMatchObject({ status: 'refused', charged: { cost_micros: 0 } });
      expect(refused?.refusal).toMatchObject({ period: 'day', remaining: 0 });
      expect(await other.hold?.commit({ cost_micros: 1 }, { overflow: 'allow' })).toMatchObject({
        status: 'committed',
      });
      expect((await quota.usage(user)).cost_micros.day.used).toBe(1_001);
    });

    it('what was held can be committed even if the limit is lower by now', async () => {
      const user = subject();
      const { hold } = await quota.reserve(user, { api_calls: 8 });
      await quota.setLimits(user, { api_calls: 5 });
      expect(await hold?.commit({ api_calls: 7 })).toMatchObject({ status: 'committed', charged: { api_calls: 7 } });
    });

    it('a hold that is not settled expires, and can no longer be committed', async () => {
      const user = subject();
      const { hold } = await quota.reserve(user, { cost_micros: 800 }, { ttl: '150ms', id: 'late' });
      await sleep(200);
      expect((await quota.usage(user)).cost_micros.day).toMatchObject({ used: 0, held: 0 });
      expect((await quota.add(user, { cost_micros: 900 })).allowed).toBe(true);
      expect(await hold?.commit()).toMatchObject({ status: 'expired', charged: {} });
      expect(await quota.commit(user, 'late')).toMatchObject({ status: 'expired' });
      expect((await quota.usage(user)).cost_micros.day.used).toBe(900);
      const anew = await quota.reserve(user, { cost_micros: 50 }, { id: 'late' });
      expect(anew).toMatchObject({ allowed: true, repeated: false });
    });

    it('an old handle does not settle a later hold of its id in other periods', async () => {
      const user = subject();
      const first = await quota.reserve(user, { seconds: 1 }, { id: 'x' });
      await first.hold?.release();
      const start = first.usage?.seconds.second.startMs;
      let second = await quota.reserve(user, { seconds: 1 }, { id: 'x' });
      while (second.usage.seconds.second.startMs === start) {
        await second.hold?.release();
        await sleep(20);
        second = await quota.reserve(user, { seconds: 1 }, { id: 'x' });
      }
      expect(await first.hold?.commit()).toMatchObject({ status: 'expired' });
      expect(await second.hold?.commit()).toMatchObject({ status: 'committed' });
    });

    it('a hold is counted in the periods in which it was made', async () => {
      const user = subject();
      const { hold, usage } = await quota.reserve(user, { seconds: 2 });
      const { startMs, endMs } = usage.seconds.second;
      while ((await quota.usage(user)).seconds.second.startMs === startMs) await sleep(20);
      expect(await hold?.commit()).toMatchObject({
        status: 'committed',
        usage: { seconds: { second: { startMs, used: 2 } } },
      });
      const past = await quota.usage(user, { from: startMs, to: endMs, metrics: ['seconds'] });
      expect(past.seconds.second).toEqual([{ startMs, endMs, used: 2 }]);
      expect((await quota.usage(user)).seconds.second.used).toBe(0);
    });

    it('a commit takes only metrics of the hold', async () => {
      const { hold } = await quota.reserve(subject(), { cost_micros: 5 });
      const actual = { api_calls: 1 } as object;
      await expect(hold?.commit(actual)).rejects.toMatchObject({ code: 'ERR_QUOTA_AMOUNTS' });
    });

    it('calls back once for each threshold of a period', async () => {
      const user = subject();
      const amounts = [5, 2, 1, 1, 1];
      for (const amount of amounts) await quota.add(user, { api_calls: amount });
      await quota.setLimits(user, { api_calls: 20 });
      await quota.add(user, { api_calls: 10 });
      const mine = told.filter((each) => each.subject === user);
      expect(mine.map(({ threshold, used, limit, period }) => [threshold, used, limit, period])).toEqual([
        [0.8, 8, 10, 'day'],
        [1, 10, 10, 'day'],
      ]);
    });

    it('calls back once for calls that repeat an id at the same time', async () => {
      const user = subject();
      const calls = Array.from({ length: 10 }, () => quota.add(user, { api_calls: 9 }, { id: 'same' }));
      const repeated = (await Promise.all(calls)).filter((charge) => charge.repeated);
      expect(repeated).toHaveLength(9);
      expect(told.filter((each) => each.subject === user)).toMatchObject([{ threshold: 0.8, used: 9 }]);
    });

    it('calls back for each of several thresholds, metrics and periods, and for a commit', async () => {
      const user = subject();
      const { hold } = await quota.reserve(user, { cost_micros: 1_000, api_calls: 8 });
      expect(told.filter((each) => each.subject === user)).toEqual([]);
      const settled = await hold?.commit();
      const names = (settled?.crossed ?? []).map(({ metric, period, threshold }) => `${metric} ${period} ${threshold}`);
      expect(names.sort()).toEqual(['api_calls day 0.8', 'cost_micros day 0.8', 'cost_micros day 1']);
      expect(told.filter((each) => each.subject === user)).toEqual(settled?.crossed);
    });

    it('calls back for a gauge whenever it is reached from below', async () => {
      const user = subject();
      const amounts = [850, 10, -200, 200, -500];
      for (const amount of amounts) await quota.add(user, { stored_bytes: amount });
      await quota.set(user, { stored_bytes: 1_010 });
      const levels = told.filter((each) => each.subject === user).map(({ threshold, used }) => [threshold, used]);
      expect(levels).toEqual([
        [0.8, 850],
        [0.8, 860],
        [0.8, 1_010],
        [1, 1_010],
      ]);
    });

    it('lists what was used in the periods of a range', async () => {
      const user = subject();
      await quota.add(user, { api_calls: 3, cost_micros: 40 });
      const now = Date.now();
      const history = await quota.usage(user, {
        from: now - 3 * 86_400_000,
        to: now,
        metrics: ['api_calls', 'cost_micros'],
      });
      expect(history.api_calls.day.map(({ used }) => used)).toEqual([0, 0, 0, 3]);
      expect(history.cost_micros.month.at(-1)).toMatchObject({ used: 40 });
      await expect(quota.usage(user, { from: 0 })).rejects.toMatchObject({ code: 'ERR_QUOTA_RANGE' });
      await expect(quota.usage(user, { from: now, to: now })).rejects.toMatchObject({ code: 'ERR_QUOTA_RANGE' });
    });

    it('takes any text as subject and id', async () => {
      const strange = ['a:b', 'a', 'a{b}', '*', 'ä ö', 'x'.repeat(2_000), '__proto__'];
      for (const name of strange) {
        const charge = await quota.add(name, { api_calls: 1 }, { id: name });
        expect(charge.usage.api_calls.day.used).toBe(1);
        const { hold } = await quota.reserve(name, { api_calls: 2 }, { id: `hold ${name}` });
        expect((await hold?.commit())?.status).toBe('committed');
      }
    });
  });
}
