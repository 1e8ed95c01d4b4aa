import { expect, inject, it } from 'vitest';
import { randomBytes } from 'node:crypto';
import { createQuota } from '../src/index.ts';

it('an onThreshold that never ends holds up close() no longer than stated, and hears of it', async () => {
  const closings = ['memory', inject('redisUrl')].map(async (redis) => {
    const reasons: unknown[] = [];
    const warnings: string[] = [];
    const note = (): void => {};
    const quota = createQuota(
      { calls: { per: 'year', limit: 1 } },
      {
        redis,
        prefix: `t${randomBytes(6).toString('hex')}:`,
        thresholds: [1],
        logger: { debug: note, info: note, error: note, warn: (_, message) => void warnings.push(message) },
        onThreshold: (_, { signal }) => {
          signal.addEventListener('abort', () => reasons.push(signal.reason));
          return new Promise(() => {});
        },
      },
    );
    await quota.ready();
    expect((await quota.add('u', { calls: 1 }, { id: 'one' })).crossed).toHaveLength(1);
    await quota.close();
    expect(reasons).toMatchObject([{ code: 'ERR_QUOTA_CLOSED' }]);
    expect(warnings).toEqual(['onThreshold had not ended when the quota was closed']);
  });
  await Promise.all(closings);
});

it('an onThreshold that ends in time is waited for, and not aborted', async () => {
  let ended = false;
  const quota = createQuota(
    { calls: { per: 'year', limit: 1 } },
    {
      redis: 'memory',
      onThreshold: async (_, { signal }) => {
        await new Promise((resolve) => setTimeout(resolve, 20));
        ended = !signal.aborted;
      },
    },
  );
  await quota.add('u', { calls: 1 });
  await quota.close();
  expect(ended).toBe(true);
});
