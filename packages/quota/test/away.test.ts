import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { createRedis } from '@tierkit/redis';
import { startRedis, until, type StandaloneRedis } from '../../../test/servers/index.ts';
import { createQuota } from '../src/index.ts';

let server: StandaloneRedis;
beforeAll(async () => {
  server = await startRedis();
});
afterAll(() => server.stop());

const metrics = { calls: { per: 'year', limit: 10 }, bytes: { gauge: true, limit: 10 } } as const;
const away = { code: 'ERR_QUOTA_UNAVAILABLE' };

it('refuses by default while Redis is away: every call rejects, none is counted', async () => {
  const quota = createQuota(metrics, { redis: 'redis://127.0.0.1:1' });
  onTestFinished(() => quota.close());
  await expect(quota.ready('100ms')).rejects.toMatchObject(away);
  const notSent = { ...away, details: { applied: 'no' } };
  await expect(quota.add('u', { calls: 1 })).rejects.toMatchObject(notSent);
  await expect(quota.reserve('u', { calls: 1 })).rejects.toMatchObject(notSent);
  await expect(quota.commit('u', 'job')).rejects.toMatchObject(notSent);
  await expect(quota.release('u', 'job')).rejects.toMatchObject(notSent);
  await expect(quota.set('u', { bytes: 1 })).rejects.toMatchObject(notSent);
  await expect(quota.usage('u')).rejects.toMatchObject(notSent);
  await expect(quota.usage('u', { from: Date.now() - 1 })).rejects.toMatchObject(notSent);
  await expect(quota.setLimits('u', { calls: 1 })).rejects.toMatchObject(notSent);
});

it('allows without counting where it was told so, and says it', async () => {
  const quota = createQuota(metrics, { redis: 'redis://127.0.0.1:1', onUnavailable: 'allow' });
  onTestFinished(() => quota.close());
  const uncounted = { allowed: true, source: 'none', error: away };
  expect(await quota.add('u', { calls: 100 })).toMatchObject(uncounted);
  const { hold } = await quota.reserve('u', { calls: 100 });
  expect(await hold?.commit({ calls: 5 })).toMatchObject(uncounted);
  await expect(quota.usage('u')).rejects.toMatchObject(away);
  await expect(quota.set('u', { bytes: 1 })).rejects.toMatchObject(away);
  await expect(quota.add('u', { calls: -1 })).rejects.toMatchObject({ code: 'ERR_QUOTA_AMOUNTS' });
});

it('spends one deadline on a frozen Redis, and a repeat with the id counts once', async () => {
  const quota = createQuota(metrics, { redis: { url: server.url, commandTimeout: '1s' } });
  onTestFinished(() => quota.close());
  await quota.ready();
  const { hold } = await quota.reserve('u', { calls: 2 });
  server.process.signal('SIGSTOP');
  onTestFinished(() => server.process.signal('SIGCONT'));
  const unsure = { ...away, details: { applied: 'unknown' } };
  const begun = performance.now();
  await expect(quota.add('u', { calls: 1 }, { id: 'a' })).rejects.toMatchObject(unsure);
  const tookMs = performance.now() - begun;
  await expect(quota.commit('u', hold?.id ?? '', { calls: 1 })).rejects.toMatchObject(away);
  server.process.signal('SIGCONT');
  await until('the charge is taken', async () => (await quota.add('u', { calls: 1 }, { id: 'a' })).allowed);
  await until('the hold is settled', async () => (await hold?.commit({ calls: 1 }))?.status === 'committed');
  expect((await quota.usage('u')).calls.year.used).toBe(2);
  // A second deadline would make it two seconds.
  expect(tookMs).toBeLessThan(1_900);
});

it.each(['refuse', 'allow'] as const)(
  'is closed for good, with Redis and without, where it would %s',
  async (onUnavailable) => {
    const shared = createRedis(server.url);
    onTestFinished(() => shared.close());
    await shared.ready();
    const closed = { code: 'ERR_QUOTA_CLOSED' };
    for (const redis of [server.url, 'memory', shared, 'redis://127.0.0.1:1']) {
      const quota = createQuota(metrics, { redis, onUnavailable });
      if (redis !== 'redis://127.0.0.1:1') await quota.ready();
      const hold = await quota.reserve('u', { calls: 1 }).then(
        (reserved) => reserved.hold,
        () => undefined,
      );
      const closing = quota.close();
      const calls = [
        () => quota.add('u', { calls: 1 }),
        () => quota.reserve('u', { calls: 1 }),
        () => quota.commit('u', 'job'),
        () => quota.release('u', 'job'),
        () => quota.set('u', { bytes: 1 }),
        () => quota.usage('u'),
        () => quota.usage('u', { from: 0 }),
        () => quota.reset('u'),
        () => quota.setLimits('u', { calls: 1 }),
        () => quota.ready('100ms'),
        ...(hold === undefined ? [] : [() => hold.commit(), () => hold.release()]),
      ];
      for (const call of calls) await expect(call()).rejects.toMatchObject(closed);
      await closing;
      await quota.close();
      for (const call of calls) await expect(call()).rejects.toMatchObject(closed);
    }
  },
);

it('what is under way when it is closed is not allowed by the failure policy', async () => {
  const quota = createQuota(metrics, { redis: { url: server.url, commandTimeout: '5s' }, onUnavailable: 'allow' });
  await quota.ready();
  server.process.signal('SIGSTOP');
  onTestFinished(() => server.process.signal('SIGCONT'));
  const added = quota.add('u', { calls: 1 }).catch((error: unknown) => error);
  // So that it is sent.
  await new Promise(setImmediate);
  await quota.close();
  expect(await added).toMatchObject({ code: 'ERR_QUOTA_CLOSED', details: { applied: 'unknown' } });
});
