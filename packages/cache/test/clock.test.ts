import { randomBytes } from 'node:crypto';
import { systemClock } from '@tierkit/core';
import { expect, it, onTestFinished } from 'vitest';
import { until } from '../../../test/servers/index.ts';
import { sharedRedis } from '../../../test/support/shared-redis.ts';
import { sleep } from '../../../test/support/sleep.ts';
import { createTiers, type Tiers } from '../src/index.ts';

// An origin far behind would keep entries for days, one far ahead would never let them in.
it.each([1e9, -1e6])('a clock that began %d ms elsewhere counts the same times to live', async (originMs) => {
  const prefix = `t${randomBytes(6).toString('hex')}:`;
  const open = async (clock = systemClock): Promise<Tiers> => {
    const tiers = createTiers({ redis: sharedRedis(), prefix, clock });
    onTestFinished(() => tiers.close());
    await tiers.ready('10s');
    return tiers;
  };
  const clock = { ...systemClock, monotonic: () => performance.now() + originMs };
  const [writer, reader] = [await open(), await open(clock)];
  await writer.session('x').set('k', 'v', { ttl: '2s' });
  // The news of the write may still be on its way, and would end a fill.
  await until('L1 answers', async () => {
    expect(await reader.session('x').get('k')).toBe('v');
    return reader.session('x').peek('k') === 'v';
  });
  await sleep(2_050);
  expect(reader.session('x').peek('k')).toBeUndefined();
  expect(await reader.session('x').get('k')).toBeUndefined();
});
