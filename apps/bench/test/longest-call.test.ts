import { expect, test } from 'vitest';
import { sleep } from '../../../test/support/sleep.ts';
import { longestCall, storeBeforehand } from '../src/longest-call.ts';
import type { OpenLoadingSubject } from '../src/loading-subject.ts';

const never = new Promise<never>(() => {});

function cacheThat(getOrSet: OpenLoadingSubject['getOrSet']): OpenLoadingSubject {
  return { getOrSet };
}

test('finds the one slow call among many, and makes no more once the time is over', async () => {
  let calls = 0;
  const cache = cacheThat(async () => {
    if (++calls === 5) await sleep(150);
    return 'value';
  });
  const report = await longestCall(cache, { forMs: 100, boundMs: 5_000 });
  expect(report).toMatchObject({ calls, unfinished: 0, failed: 0 });
  expect(report.longestMs).toBeGreaterThan(140);
  await sleep(20);
  expect(calls).toBe(report.calls);
});

test('a call that never ends is cut off at the bound, and counted', async () => {
  const report = await longestCall(
    cacheThat(() => never),
    { forMs: 100, boundMs: 60 },
  );
  expect(report).toMatchObject({ calls: 10, unfinished: 10, failed: 0 });
  expect(report.longestMs).toBeGreaterThan(50);
});

test('a call that rejects or finds nothing has failed', async () => {
  let calls = 0;
  const cache = cacheThat(async () => {
    if (++calls % 2 === 0) throw new Error('no connection');
    return undefined;
  });
  const report = await longestCall(cache, { forMs: 30, boundMs: 5_000 });
  expect(report.failed).toBe(report.calls);
});

test('half of the calls ask for what was stored before', async () => {
  const stored = new Set<string>();
  await storeBeforehand(cacheThat(async (key) => stored.add(key)));
  const asked: string[] = [];
  await longestCall(
    cacheThat(async (key, load) => {
      asked.push(key);
      return load();
    }),
    { forMs: 30, boundMs: 5_000 },
  );
  const known = asked.filter((key) => stored.has(key)).length;
  expect(Math.abs(2 * known - asked.length)).toBeLessThanOrEqual(1);
});
