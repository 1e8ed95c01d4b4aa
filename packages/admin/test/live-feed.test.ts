import type { CacheChange } from '@tierkit/cache';
import { createTierkit, type Tierkit } from 'tierkit';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { LiveFeed, LiveStream } from '../src/live-feed.ts';

let kit: Tierkit;
beforeEach(() => {
  kit = createTierkit({ redis: 'memory' });
});
afterEach(async () => {
  vi.useRealTimers();
  await kit.close();
});

const change: CacheChange = { kind: 'tier', tier: 'session', own: true };

it('does nothing while nobody reads, before and after', async () => {
  let listeners = 0;
  let asked = 0;
  const { inspection } = kit;
  const source = {
    ...kit,
    inspection: {
      ...inspection,
      onChange(listener: Parameters<typeof inspection.onChange>[0]) {
        const stop = inspection.onChange(listener);
        listeners++;
        return () => (listeners--, stop());
      },
    },
    stats: () => (asked++, kit.stats()),
  };
  vi.useFakeTimers();
  const feed = new LiveFeed(source, 9);
  for (let round = 0; round < 3; round++) {
    expect([listeners, vi.getTimerCount()]).toEqual([0, 0]);
    const streams = [feed.open(true), feed.open(false)];
    expect([listeners, vi.getTimerCount()]).toEqual([1, 1]);
    asked = 0;
    vi.advanceTimersByTime(3_000);
    // Once a second for all readers.
    expect(asked).toBe(3);
    for (const stream of streams) stream.end();
  }
  expect([listeners, vi.getTimerCount()]).toEqual([0, 0]);
});

it('tells once how much a reader missed', async () => {
  const stream = new LiveStream(() => {});
  for (let n = 0; n < 250; n++) stream.push({ event: 'change', data: change });
  expect((await stream.next())?.at(-1)).toEqual({ event: 'dropped', data: { changes: 50 } });
  stream.push({ event: 'change', data: change });
  expect(await stream.next()).toEqual([{ event: 'change', data: change }]);
});
