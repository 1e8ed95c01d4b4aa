import type { CacheChange } from '@tierkit/cache';
import { expect, it } from 'vitest';
import { after, NOTHING } from '../dashboard/src/live/live.ts';

it('lists the latest changes, and counts those that are no longer listed or were not told', () => {
  let live = NOTHING;
  for (let n = 0; n < 150; n++) {
    const change: CacheChange = { kind: 'keys', tier: 'global', keys: [`k${n}`], count: 1, own: true };
    live = after(live, { event: 'change', data: JSON.stringify(change) });
  }
  live = after(live, { event: 'dropped', data: '{"changes":850}' });
  live = after(live, { event: 'of a later version', data: 'not JSON' });
  expect(live.changes.map(({ id }) => id)).toEqual(Array.from({ length: 100 }, (_, n) => 150 - n));
  expect(live.changeCount).toBe(1_000);
});
