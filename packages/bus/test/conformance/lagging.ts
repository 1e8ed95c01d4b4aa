import { expect, it } from 'vitest';
import { until } from '../../../../test/servers/index.ts';
import type { Gap } from '../../src/index.ts';
import { taken, type World } from '../world.ts';
import { channels } from './ephemeral-channels.ts';

/** Of subscribers that lag, and of what is too large for them. */
export function laggingConformance(world: World): void {
  it.each([
    ['dropOldest', ['7', '8', '9'], [{ reason: 'overflow', missed: 7 }]],
    ['dropNewest', ['0', '1', '2'], [{ reason: 'overflow', missed: 7 }]],
  ] as const)('keeps a subscriber that lags in bounds: %s', async (overflow, kept, told) => {
    const bus = await world.bus(channels);
    const gaps: Gap[] = [];
    const lagging = bus.subscribe('news', { maxQueue: 3, overflow, onGap: (gap) => gaps.push(gap) });
    const probe = bus.subscribe('news');
    await Promise.all([lagging.ready, probe.ready]);
    for (let i = 0; i < 10; i++) await bus.publish('news', String(i));
    await taken(probe, 10);
    expect(lagging).toMatchObject({ queued: 3, missed: 7 });
    expect(await taken(lagging, 3)).toEqual(kept);
    await bus.publish('news', 'after');
    expect(await taken(lagging, 1)).toEqual(['after']);
    expect(gaps).toEqual(told);
    expect(bus.stats().missed).toBe(7);
  });

  it('keeps a subscriber that lags in bounds: disconnect', async () => {
    const bus = await world.bus(channels);
    const lagging = bus.subscribe('news', { maxQueue: 3, overflow: 'disconnect' });
    const probe = bus.subscribe('news');
    await Promise.all([lagging.ready, probe.ready]);
    for (let i = 0; i < 10; i++) await bus.publish('news', String(i));
    await taken(probe, 10);
    await expect(lagging.next()).rejects.toMatchObject({ code: 'ERR_BUS_OVERFLOW' });
    expect(await lagging.next()).toEqual({ value: undefined, done: true });
    expect(bus.stats().subscriptions).toBe(1);
  });

  it('tells a handler that was disconnected as a failure, and goes on where what is told of gaps throws', async () => {
    const bus = await world.bus(channels);
    let letGo = (): void => {};
    const gate = new Promise<void>((resolve) => (letGo = resolve));
    const off = bus.on('news', () => gate, { maxQueue: 2, overflow: 'disconnect' });
    const onGap = (): never => {
      throw new Error('no gaps, please');
    };
    const lagging = bus.subscribe('news', { maxQueue: 2, onGap });
    const probe = bus.subscribe('news');
    await Promise.all([off.ready, lagging.ready, probe.ready]);
    for (let i = 0; i < 5; i++) await bus.publish('news', String(i));
    await taken(probe, 5);
    await until('it is told', () => bus.stats().failures === 1);
    letGo();
    expect(await taken(lagging, 2)).toEqual(['3', '4']);
    expect(bus.stats()).toMatchObject({ failures: 1, subscriptions: 2 });
  });

  it('bounds the bytes that wait', async () => {
    const bus = await world.bus(channels);
    const lagging = bus.subscribe('news', { maxQueueBytes: 4_000, onGap: () => undefined });
    const probe = bus.subscribe('news');
    await Promise.all([lagging.ready, probe.ready]);
    for (let i = 0; i < 10; i++) await bus.publish('news', `${i}${'x'.repeat(1_000)}`);
    await taken(probe, 10);
    expect(lagging).toMatchObject({ queued: 3, missed: 7 });
    // One that is larger than the bound alone is not lost for that.
    await bus.publish('news', `big${'x'.repeat(10_000)}`);
    await taken(probe, 1);
    expect(lagging.queued).toBe(1);
  });

  it('drops what is larger than a subscriber takes', async () => {
    const [bus, other] = [await world.bus(channels, { maxPayloadBytes: 1_000 }), await world.bus(channels)];
    const events = bus.subscribe('news');
    await events.ready;
    for (const text of ['x'.repeat(1_000), 'small']) await other.publish('news', text);
    expect(await taken(events, 1)).toEqual(['small']);
    expect(bus.stats().invalid).toBe(1);
  });
}
