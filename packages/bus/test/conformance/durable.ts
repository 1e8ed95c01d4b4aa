import { expect, it } from 'vitest';
import * as z from 'zod';
import { until } from '../../../../test/servers/index.ts';
import { sleep } from '../../../../test/support/sleep.ts';
import { durable, ephemeral, type Gap } from '../../src/index.ts';
import { taken, type World } from '../world.ts';

const channels = {
  orders: durable<number>(),
  'jobs:{project}': durable<string>(),
  short: durable<number>({ maxLength: 100 }),
  checked: durable(z.object({ n: z.number() })),
  news: ephemeral<string>(),
  brief: durable<number>({ maxAge: 50 }),
  lasting: durable<number>({ maxAge: '100y' }),
};

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

/** Of channels that are kept, read by everybody from a place of their own. */
export function durableConformance(world: World): void {
  it('reads what was published before, from the start, in order', async () => {
    const bus = await world.bus(channels);
    for (const n of range(0, 250)) await bus.publish('orders', n);
    const all = bus.subscribe('orders', { from: 'start' });
    expect(await taken(all, 250)).toEqual(range(0, 250));
    await bus.publish('orders', 250);
    expect(await taken(all, 1)).toEqual([250]);
  });

  it('reads what is published from now on', async () => {
    const bus = await world.bus(channels);
    await bus.publish('orders', 1);
    const fresh = bus.subscribe('orders');
    await fresh.ready;
    await bus.publish('orders', 2);
    expect(await taken(fresh, 1)).toEqual([2]);
  });

  it('reads on behind a stored position, on another bus', async () => {
    const [one, two] = [await world.bus(channels), await world.bus(channels)];
    const published = [];
    for (const n of range(0, 5)) published.push(await one.publish('orders', n));
    const first = one.subscribe('orders', { from: 'start' });
    await taken(first, 2);
    const { value } = await first.next();
    expect(value?.position).toBe(published[2]?.position);
    const position = value?.position ?? '';
    expect(await taken(two.subscribe('orders', { from: { position } }), 2)).toEqual([3, 4]);
    const byName = two.subscribe(['orders', 'news'], { from: { orders: { position } } });
    expect(await taken(byName, 2)).toEqual([3, 4]);
  });

  it('reads from a time', async () => {
    const bus = await world.bus(channels);
    await bus.publish('orders', 1);
    const { position = '' } = await bus.publish('orders', 2);
    const timeMs = Number(position.split('-')[0]);
    const later = bus.subscribe('orders', { from: { time: new Date(timeMs + 60_000) } });
    const earlier = bus.subscribe('orders', { from: { time: timeMs - 60_000 } });
    await later.ready;
    expect(await taken(earlier, 2)).toEqual([1, 2]);
    expect(later.queued).toBe(0);
  });

  it('keeps one order for a channel with parameters, and filters by them', async () => {
    const bus = await world.bus(channels);
    for (const project of ['a', 'b:c', 'a']) await bus.publish('jobs:{project}', project, { params: { project } });
    const all = bus.subscribe('jobs:{project}', { from: 'start' });
    const some = bus.subscribe('jobs:a', { from: 'start' });
    const matching = bus.subscribe('jobs:b*', { from: 'start' });
    const { value } = await all.next();
    expect(value).toMatchObject({ type: 'jobs:{project}', channel: 'jobs:a', params: { project: 'a' } });
    expect(await taken(all, 2)).toEqual(['b:c', 'a']);
    expect(await taken(some, 2)).toEqual(['a', 'a']);
    expect(await taken(matching, 1)).toEqual(['b:c']);
  });

  it('drops nothing for a subscriber that lags, and holds no more than its bounds and a batch', async () => {
    const bus = await world.bus(channels);
    const slow = bus.subscribe('orders', { maxQueue: 10, batch: 20, overflow: 'dropOldest' });
    await slow.ready;
    for (const n of range(0, 300)) await bus.publish('orders', n);
    const received: unknown[] = [];
    let most = 0;
    for await (const { data } of slow) {
      most = Math.max(most, slow.queued);
      if (received.push(data) === 300) break;
    }
    expect(received).toEqual(range(0, 300));
    expect(most).toBeLessThanOrEqual(30);
    expect(slow.missed).toBe(0);
  });

  it('holds no more bytes than its bound and a batch', async () => {
    const bus = await world.bus(channels);
    const slow = bus.subscribe('jobs:{project}', { maxQueueBytes: 5_000, batch: 2 });
    await slow.ready;
    const params = { params: { project: 'p' } };
    for (const n of range(0, 20)) await bus.publish('jobs:{project}', `${n}${'x'.repeat(1_000)}`, params);
    let most = 0;
    for (const n of range(0, 20)) {
      expect((await slow.next()).value?.data).toMatch(new RegExp(`^${n}x`));
      most = Math.max(most, slow.queued);
    }
    expect(most).toBeLessThanOrEqual(7);
  });

  it('drops no lasting event for others that come while it waits', async () => {
    const bus = await world.bus(channels);
    const gaps: Gap[] = [];
    const both = bus.subscribe(['orders', 'news'], { maxQueue: 3, onGap: (gap) => gaps.push(gap) });
    const probe = bus.subscribe('news');
    await Promise.all([both.ready, probe.ready]);
    for (const n of range(0, 3)) await bus.publish('orders', n);
    await until('they wait', () => both.queued === 3);
    for (const text of ['a', 'b']) await bus.publish('news', text);
    await taken(probe, 2);
    expect(await taken(both, 3)).toEqual([0, 1, 2]);
    await bus.publish('news', 'c');
    expect(await taken(both, 1)).toEqual(['c']);
    expect(gaps).toEqual([{ reason: 'overflow', missed: 2 }]);
  });

  it('tells exactly how many events were trimmed before they were read', async () => {
    const bus = await world.bus(channels);
    const { position = '' } = await bus.publish('short', 0);
    for (const n of range(1, 601)) await bus.publish('short', n);
    const gaps: Gap[] = [];
    const late = bus.subscribe('short', { from: { position }, onGap: (gap) => gaps.push(gap) });
    const [first] = await taken(late, 1);
    // Up to a node of the stream, of a hundred entries, may be kept beyond the bound.
    expect(first).toBeGreaterThan(600 - 100 - 100);
    expect(first).toBeLessThanOrEqual(501);
    expect(gaps).toEqual([{ reason: 'trimmed', missed: Number(first) - 1 }]);
    expect(late.missed).toBe(Number(first) - 1);
  });

  it('mixes with ephemeral channels', async () => {
    const bus = await world.bus(channels);
    const both = bus.subscribe(['orders', 'news']);
    await both.ready;
    await bus.publish('orders', 1);
    expect(await taken(both, 1)).toEqual([1]);
    await bus.publish('news', 'x');
    const { value } = await both.next();
    expect(value).toMatchObject({ type: 'news', data: 'x' });
    expect(value?.position).toBeUndefined();
  });

  it('checks before it keeps, and refuses positions that are none', async () => {
    const bus = await world.bus(channels);
    await expect(bus.publish('checked', { n: 'x' } as never)).rejects.toMatchObject({ code: 'ERR_BUS_SCHEMA' });
    await bus.publish('checked', { n: 1 });
    expect(await taken(bus.subscribe('checked', { from: 'start' }), 1)).toEqual([{ n: 1 }]);
    for (const from of [{ position: 'x' }, { position: '1-1@x' }, { time: Number.NaN }, 'later', { orders: 5 }]) {
      const options = { from: from as never };
      expect(() => bus.subscribe('orders', options)).toThrow(
        expect.objectContaining({ code: 'ERR_BUS_POSITION' }) as Error,
      );
    }
  });

  it('disconnects nobody for what it reads itself', async () => {
    const bus = await world.bus(channels);
    for (const n of range(0, 60)) await bus.publish('orders', n);
    const events = bus.subscribe('orders', { from: 'start', maxQueue: 5, batch: 20, overflow: 'disconnect' });
    await until('some are there', () => events.queued > 5);
    expect(await taken(events, 60)).toEqual(range(0, 60));
  });

  it('tells that a place was lost which the stream has not reached, and goes on with what comes', async () => {
    const bus = await world.bus(channels);
    await bus.publish('orders', 1);
    const gaps: Gap[] = [];
    const position = `${Date.now() + 3_600_000}-0@50`;
    const ahead = bus.subscribe('orders', { from: { position }, onGap: (gap) => gaps.push(gap) });
    const seen: number[] = [];
    const consumer = bus.consume('orders', { group: 'g', from: { position } }, ({ data }) => void seen.push(data));
    await Promise.all([ahead.ready, consumer.ready]);
    await bus.publish('orders', 2);
    expect(await taken(ahead, 1)).toEqual([2]);
    expect(gaps).toEqual([{ reason: 'trimmed', missed: undefined }]);
    await until('the group gets it', () => seen.length === 1);
    expect(seen).toEqual([2]);
  });

  it('trims what is older than it need keep, and counts it for those who had not read it', async () => {
    const bus = await world.bus(channels);
    const consumer = bus.consume('brief', { group: 'g' }, () => undefined);
    await consumer.ready;
    await consumer.close();
    const { position = '' } = await bus.publish('brief', 0);
    for (const n of range(1, 300)) await bus.publish('brief', n);
    const lasting = await bus.publish('lasting', 0);
    await sleep(60);
    // Everything before is over age now, and goes with a hundredth event, but for a node of the stream of as many.
    for (const n of range(300, 400)) await bus.publish('brief', n);
    for (const n of range(1, 300)) await bus.publish('lasting', n);
    const gaps: Gap[] = [];
    const events = bus.subscribe('brief', { from: { position }, onGap: (gap) => gaps.push(gap) });
    const [first] = await taken(events, 1);
    expect(first).toBeGreaterThanOrEqual(200);
    expect(gaps).toEqual([{ reason: 'trimmed', missed: Number(first) - 1 }]);
    expect((await bus.lag('brief', 'g')).lost).toBe(first);
    expect((await bus.lag('brief', 'g')).waiting).toBe(400 - Number(first));
    // Nothing is trimmed before its age.
    const all = bus.subscribe('lasting', { from: { position: lasting.position ?? '' }, maxQueue: 1_000 });
    expect(await taken(all, 299)).toEqual(range(1, 300));
    expect(all.missed).toBe(0);
  });
}
