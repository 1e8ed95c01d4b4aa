import { expect, it } from 'vitest';
import * as z from 'zod';
import { until } from '../../../../test/servers/index.ts';
import { ephemeral, fed, type Gap } from '../../src/index.ts';
import { taken, type World } from '../world.ts';

const channels = {
  news: ephemeral<{ n: number } | string>(),
  'user:{id}': ephemeral<string>(),
  'user:{id}:seen': ephemeral<number>(),
  'user:all': ephemeral<string>(),
  checked: ephemeral(z.object({ at: z.string().transform((text) => text.length), n: z.number() })),
};

/** Of channels that reach those who listen. */
export function ephemeralConformance(world: World): void {
  it('delivers to every bus and to itself, with its headers', async () => {
    const [one, two] = [await world.bus(channels, { source: 'one' }), await world.bus(channels)];
    const [here, there] = [one.subscribe('news'), two.subscribe('news')];
    await Promise.all([here.ready, there.ready]);
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const before = Date.now();
    const published = await one.publish('news', { n: 1 }, { traceparent });
    expect(published).toEqual({ id: expect.any(String) as string, sent: true });
    for (const subscription of [here, there]) {
      const { value } = await subscription.next();
      expect(value).toEqual({
        type: 'news',
        channel: 'news',
        params: {},
        data: { n: 1 },
        id: published.id,
        time: expect.any(Number) as number,
        source: expect.stringMatching(/^one\/./) as string,
        traceparent,
      });
      expect(Math.abs((value?.time ?? 0) - before)).toBeLessThan(60_000);
    }
  });

  it('keeps the order of each publisher', async () => {
    const buses = [await world.bus(channels), await world.bus(channels), await world.bus(channels)];
    const listener = await world.bus(channels);
    const subscription = listener.subscribe('news', { maxQueue: 10_000 });
    await subscription.ready;
    const sends: Promise<unknown>[] = [];
    for (let n = 0; n < 200; n++) for (const [i, bus] of buses.entries()) sends.push(bus.publish('news', `${i}:${n}`));
    await Promise.all(sends);
    const received = (await taken(subscription, 600)).map(String);
    for (const i of [0, 1, 2]) {
      const own = received.filter((text) => text.startsWith(`${i}:`));
      expect(own).toEqual(Array.from({ length: 200 }, (_, n) => `${i}:${n}`));
    }
  });

  it('fills in parameters and tells them apart, whatever is in them', async () => {
    const bus = await world.bus(channels);
    const events = bus.subscribe('user:{id}');
    await events.ready;
    const ids = ['42', 'a b', '*', 'x:y', '{id}', '%41', 'é😀', '?[a]'];
    for (const id of ids) await bus.publish('user:{id}', 'hello', { params: { id } });
    for (const id of ids) {
      const { value } = await events.next();
      expect(value).toMatchObject({ type: 'user:{id}', params: { id }, channel: `user:${id}` });
    }
    const one = bus.subscribe('user:a b');
    await one.ready;
    await bus.publish('user:{id}', 'no', { params: { id: '*' } });
    await bus.publish('user:a b', 'yes');
    expect((await one.next()).value).toMatchObject({ data: 'yes', params: { id: 'a b' } });
  });

  it('takes a name that stands in the map before one with parameters', async () => {
    const bus = await world.bus(channels);
    const events = bus.subscribe(['user:all', 'user:{id}']);
    await events.ready;
    await bus.publish('user:all', 'a');
    expect((await events.next()).value).toMatchObject({ type: 'user:all', params: {} });
    await bus.publish('user:{id}', 'b', { params: { id: '7' } });
    expect((await events.next()).value).toMatchObject({ type: 'user:{id}', params: { id: '7' } });
  });

  it('delivers an event once however many of the patterns match, and only what matches', async () => {
    const bus = await world.bus(channels);
    const events = bus.subscribe(['user:*', 'user:4?', 'user:42', '*:seen', 'news']);
    const some = bus.subscribe('user:4*:seen');
    const twice = bus.subscribe(['user:42', 'news', 'user:42', 'news']);
    await Promise.all([events.ready, some.ready, twice.ready]);
    await bus.publish('user:42', 'a');
    await bus.publish('user:42:seen', 1);
    await bus.publish('user:53:seen', 2);
    await bus.publish('checked', { at: 'x', n: 1 });
    await bus.publish('user:430:seen', 3);
    await bus.publish('news', 'last');
    expect(await taken(events, 5)).toEqual(['a', 1, 2, 3, 'last']);
    expect(await taken(some, 2)).toEqual([1, 3]);
    expect(await taken(twice, 2)).toEqual(['a', 'last']);
    expect(twice.queued).toBe(0);
  });

  it('hands out the output of the schema, and checks before it sends', async () => {
    const bus = await world.bus(channels);
    const events = bus.subscribe('checked');
    await events.ready;
    const wrong = bus.publish('checked', { at: 'three', n: 'secret' } as never);
    await expect(wrong).rejects.toMatchObject({ code: 'ERR_BUS_SCHEMA', details: { paths: ['n'] } });
    await expect(wrong).rejects.not.toThrow(/secret/);
    await bus.publish('checked', { at: 'three', n: 1 });
    expect((await events.next()).value?.data).toEqual({ at: 5, n: 1 });
  });

  it('gives each subscriber a copy of its own', async () => {
    const bus = await world.bus(channels);
    const [one, two] = [bus.subscribe('news'), bus.subscribe('news')];
    await Promise.all([one.ready, two.ready]);
    const sent = { n: 1 };
    await bus.publish('news', sent);
    sent.n = 2;
    const [a, b] = [(await one.next()).value?.data, (await two.next()).value?.data];
    expect(a).toEqual({ n: 1 });
    expect(b).toEqual({ n: 1 });
    expect(a).not.toBe(b);
  });

  it('leaves out its own events where that is asked for', async () => {
    const [one, two] = [await world.bus(channels), await world.bus(channels)];
    const others = one.subscribe('news', { self: false });
    await others.ready;
    await one.publish('news', 'own');
    await two.publish('news', 'other');
    expect(await taken(others, 1)).toEqual(['other']);
  });

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

  it('begins nothing for a signal that was aborted before', async () => {
    const bus = await world.bus(channels);
    const events = bus.subscribe('news', { signal: AbortSignal.abort() });
    expect(await events.next()).toEqual({ value: undefined, done: true });
    await expect(events.ready).rejects.toMatchObject({ code: 'ERR_BUS_CLOSED' });
    await expect(bus.once('news', { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ERR_BUS_CLOSED' });
    expect(bus.stats().subscriptions).toBe(0);
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

  it('refuses what it does not know, what is too large and what cannot be encoded', async () => {
    const bus = await world.bus(channels, { maxPayloadBytes: 1_000 });
    const channel = { code: 'ERR_BUS_CHANNEL' };
    const publish = (...args: unknown[]): Promise<unknown> => bus.publish(...(args as Parameters<typeof bus.publish>));
    for (const name of ['other', 'user:', 'user:{id}', 'user', '', '__proto__', 'user:1:2:3', 5, undefined]) {
      await expect(publish(name, 'x')).rejects.toMatchObject(channel);
    }
    for (const params of [{ id: '' }, { id: 'x'.repeat(600) }, { ID: 'x' }, { id: {} }, { id: '\ud800' }]) {
      await expect(publish('user:{id}', 'x', { params })).rejects.toMatchObject(channel);
    }
    for (const name of ['other', 'other*', '', [], 'user:1:2:3']) {
      expect(() => bus.subscribe(name as string)).toThrow(expect.objectContaining(channel) as Error);
    }
    await bus.publish('news', 'x'.repeat(800));
    const payload = { code: 'ERR_BUS_PAYLOAD' };
    await expect(publish('news', 'x'.repeat(1_000))).rejects.toMatchObject(payload);
    await expect(publish('news', 'é'.repeat(480))).rejects.toMatchObject(payload);
    await expect(publish('news', 1n)).rejects.toMatchObject(payload);
    await expect(publish('news', undefined)).rejects.toMatchObject(payload);
    const odd = await world.bus(channels, { codec: { encode: () => 5 as never, decode: () => 5 } });
    await expect(odd.publish('news', 'x')).rejects.toMatchObject(payload);
    expect(bus.stats()).toMatchObject({ published: 1, dropped: 0, subscriptions: 0 });
  });

  it('drops what is larger than a subscriber takes', async () => {
    const [bus, other] = [await world.bus(channels, { maxPayloadBytes: 1_000 }), await world.bus(channels)];
    const events = bus.subscribe('news');
    await events.ready;
    for (const text of ['x'.repeat(1_000), 'small']) await other.publish('news', text);
    expect(await taken(events, 1)).toEqual(['small']);
    expect(bus.stats().invalid).toBe(1);
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
