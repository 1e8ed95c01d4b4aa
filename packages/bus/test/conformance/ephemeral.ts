import { expect, it } from 'vitest';
import { taken, type World } from '../world.ts';
import { channels } from './ephemeral-channels.ts';

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
}
