import { expect, it } from 'vitest';
import { until } from '../../../../test/servers/index.ts';
import { fed } from '../../src/index.ts';
import type { World } from '../world.ts';
import { channels } from './ephemeral-channels.ts';

/** Of subscriptions: how they begin, wait and end. */
export function subscriptionConformance(world: World): void {
  it('calls a handler for one event after the other until it is off', async () => {
    const bus = await world.bus(channels);
    const log: string[] = [];
    const off = bus.on('news', async ({ data }) => {
      log.push(`start ${data as string}`);
      await Promise.resolve();
      log.push(`end ${data as string}`);
      if (data === 'b') throw new Error('handlers may fail');
    });
    await off.ready;
    for (const text of ['a', 'b', 'c']) await bus.publish('news', text);
    await until('all are handled', () => log.length === 6);
    expect(log).toEqual(['start a', 'end a', 'start b', 'end b', 'start c', 'end c']);
    expect(bus.stats()).toMatchObject({ failures: 1, subscriptions: 1 });
    off();
    expect(bus.stats().subscriptions).toBe(0);
    await bus.publish('news', 'd');
    const rest = bus.subscribe('news');
    await rest.ready;
    await bus.publish('news', 'e');
    await rest.next();
    expect(log).toHaveLength(6);
  });

  it('waits for one event, for as long as it may', async () => {
    const bus = await world.bus(channels);
    const probe = bus.subscribe('news');
    const next = bus.once('news');
    await probe.ready;
    await bus.publish('news', 'x');
    expect((await next).data).toBe('x');
    await expect(bus.once('news', { timeout: 30 })).rejects.toMatchObject({ code: 'ERR_BUS_TIMEOUT' });
    const controller = new AbortController();
    const ended = bus.once('news', { signal: controller.signal });
    controller.abort();
    await expect(ended).rejects.toMatchObject({ code: 'ERR_BUS_CLOSED' });
    probe.close();
    expect(bus.stats().subscriptions).toBe(0);
  });

  it('ends a loop by its signal, by leaving it, and by closing the bus', async () => {
    const bus = await world.bus(channels);
    const controller = new AbortController();
    const [aborted, left, closed] = [
      bus.subscribe('news', { signal: controller.signal }),
      bus.subscribe('news'),
      bus.subscribe('news'),
    ];
    await Promise.all([aborted.ready, left.ready, closed.ready]);
    await bus.publish('news', 'x');
    for await (const { data } of left) {
      expect(data).toBe('x');
      break;
    }
    const rounds: unknown[] = [];
    const loop = (async () => {
      for await (const { data } of aborted) {
        rounds.push(data);
        controller.abort();
      }
    })();
    await loop;
    expect(rounds).toEqual(['x']);
    expect(bus.stats().subscriptions).toBe(1);
    await closed.next();
    const waiting = closed.next();
    await bus.close();
    expect(await waiting).toEqual({ value: undefined, done: true });
    await expect(bus.publish('news', 'x')).rejects.toMatchObject({ code: 'ERR_BUS_CLOSED' });
    expect(() => bus.subscribe('news')).toThrow(expect.objectContaining({ code: 'ERR_BUS_CLOSED' }) as Error);
  });

  it('begins nothing for a signal that was aborted before', async () => {
    const bus = await world.bus(channels);
    const events = bus.subscribe('news', { signal: AbortSignal.abort() });
    expect(await events.next()).toEqual({ value: undefined, done: true });
    await expect(events.ready).rejects.toMatchObject({ code: 'ERR_BUS_CLOSED' });
    await expect(bus.once('news', { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ERR_BUS_CLOSED' });
    expect(bus.stats().subscriptions).toBe(0);
  });

  it('listens to what this process feeds while somebody listens', async () => {
    let emit: ((data: string) => void) | undefined;
    const source = fed<string>((tell) => {
      emit = tell;
      return () => (emit = undefined);
    });
    const bus = await world.bus({ ...channels, 'system:local': source });
    expect(emit).toBeUndefined();
    const events = bus.subscribe('system:*');
    await events.ready;
    emit?.('x');
    expect((await events.next()).value).toMatchObject({
      type: 'system:local',
      data: 'x',
      id: expect.any(String) as string,
    });
    await expect(bus.publish('system:local', 'x' as never)).rejects.toMatchObject({ code: 'ERR_BUS_CHANNEL' });
    events.close();
    expect(emit).toBeUndefined();
  });
}
