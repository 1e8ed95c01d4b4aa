import { expect, it } from 'vitest';
import * as z from 'zod';
import { durable, ephemeral, fed } from '../../src/index.ts';
import { taken, type World } from '../world.ts';

const channels = {
  news: ephemeral(),
  'user:{id}': ephemeral<string>(),
  'user:all': ephemeral<string>(),
  orders: durable(),
  'jobs:{project}': durable<string>(),
  'jobs:all': durable<string>(),
  checked: ephemeral(z.object({ n: z.number() })),
};

const coded = (code: string): Error => expect.objectContaining({ code }) as Error;

/** Of what callers without types may give: it is refused with a code before anything is sent or opened, or it arrives. */
export function inputConformance(world: World): void {
  it('refuses data that would arrive as none', async () => {
    const bus = await world.bus(channels);
    const cyclic: { self?: unknown } = {};
    cyclic.self = cyclic;
    const hostile = {
      get x(): never {
        throw new Error('no');
      },
    };
    const all = [undefined, () => 1, Symbol('x'), 1n, { n: 1n }, cyclic, hostile, { toJSON: () => undefined }];
    for (const channel of ['news', 'orders'] as const) {
      for (const data of all) await expect(bus.publish(channel, data)).rejects.toThrow(coded('ERR_BUS_PAYLOAD'));
    }
    expect(bus.stats()).toMatchObject({ published: 0, dropped: 0 });
    expect((await bus.lag('orders', 'g')).waiting).toBe(0);
  });

  it('takes data with any names in it, and changes nobody by them', async () => {
    const bus = await world.bus(channels);
    const events = bus.subscribe('news');
    await events.ready;
    const data = JSON.parse('{"__proto__":{"polluted":true},"constructor":1,"":2,"\\u0000":null}') as object;
    await bus.publish('news', data);
    const { value } = await events.next();
    expect(Object.keys(value?.data as object)).toEqual(Object.keys(data));
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
    for (const [name, deep] of [['array', '['.repeat(50_000) + ']'.repeat(50_000)]] as const) {
      await bus.publish('news', { name, deep });
      expect((await events.next()).value?.data).toEqual({ name, deep });
    }
  });

  it('refuses headers that receivers would refuse', async () => {
    const bus = await world.bus(channels);
    for (const options of [
      { id: '' },
      { id: 5 },
      { id: 'x'.repeat(513) },
      { traceparent: 5 },
      { traceparent: '' },
      5,
      null,
    ]) {
      const wrong = bus.publish('news', 'x', options as never);
      await expect(wrong).rejects.toThrow(coded('ERR_BUS_OPTIONS'));
    }
    expect(bus.stats().published).toBe(0);
  });

  it('carries an event whatever the functions that give its trace do', async () => {
    const thrown = (): never => {
      throw new Error('there is no trace');
    };
    for (const traceparent of [() => 5, () => '', () => 'x'.repeat(1_000), thrown]) {
      const bus = await world.bus(channels, { traceparent: traceparent as never });
      const events = bus.subscribe('news');
      await events.ready;
      await bus.publish('news', 'x');
      expect((await events.next()).value).toMatchObject({ data: 'x' });
      await bus.close();
    }
  });

  it('keeps parameters from naming another channel', async () => {
    const bus = await world.bus(channels);
    const all = bus.subscribe('user:all');
    await all.ready;
    await expect(bus.publish('user:{id}', 'for one', { params: { id: 'all' } })).rejects.toThrow(
      coded('ERR_BUS_CHANNEL'),
    );
    await expect(bus.publish('jobs:{project}', 'x', { params: { project: 'all' } })).rejects.toThrow(
      coded('ERR_BUS_CHANNEL'),
    );
    await bus.publish('user:all', 'for all');
    expect(await taken(all, 1)).toEqual(['for all']);
  });

  it('refuses channels of which nobody could tell one from the other', async () => {
    for (const names of [
      ['user:{id}', 'user:{name}'],
      ['a:{x}:{y}', 'a:{y}:{x}'],
    ] as const) {
      const map = Object.fromEntries(names.map((name) => [name, ephemeral()]));
      await expect(world.bus(map)).rejects.toThrow(coded('ERR_BUS_CHANNEL'));
    }
    await expect(world.bus({ 'user:{__proto__}': ephemeral() })).rejects.toThrow(coded('ERR_BUS_CHANNEL'));
    await expect(world.bus({ 'fed:{id}': fed(() => () => {}) })).rejects.toThrow(coded('ERR_BUS_CHANNEL'));
    for (const none of [undefined, null, 5, {}, { kind: 'lasting' }, z.string()]) {
      await expect(world.bus({ news: none as never })).rejects.toThrow(coded('ERR_BUS_OPTIONS'));
    }
  });

  it('takes every odd name for what it is, or refuses it', async () => {
    const bus = await world.bus(channels);
    const odd = [
      '[',
      'user:',
      ':',
      '::',
      '\0',
      '\n',
      '\u{1F600}',
      'é',
      '{',
      '}',
      '{}',
      'a'.repeat(60_000),
      ':'.repeat(60_000),
    ];
    for (const name of odd) {
      await expect(bus.publish(name as never, 'x' as never)).rejects.toThrow(coded('ERR_BUS_CHANNEL'));
      expect(() => bus.subscribe(name)).toThrow(coded('ERR_BUS_CHANNEL'));
    }
    for (const name of [Object.create(null), Symbol('x'), null, 5, {}, [null], [Object.create(null)]]) {
      await expect(bus.publish(name as never, 'x' as never)).rejects.toThrow(coded('ERR_BUS_CHANNEL'));
      expect(() => bus.subscribe(name as never)).toThrow(coded('ERR_BUS_CHANNEL'));
    }
    for (const pattern of ['*'.repeat(60_000), '?'.repeat(60_000), `user:${'*?'.repeat(30_000)}`]) {
      const began = performance.now();
      try {
        bus.subscribe(pattern).close();
      } catch (error) {
        expect((error as { code?: string }).code).toMatch(/^ERR_(BUS_CHANNEL|PATTERN_INVALID)$/);
      }
      expect(performance.now() - began).toBeLessThan(5_000);
    }
    expect(bus.stats().subscriptions).toBe(0);
  });

  it('refuses options that are none, and opens nothing', async () => {
    const bus = await world.bus(channels);
    const wrong = [
      5,
      null,
      { maxqueue: 5 },
      { batch: 0 },
      { signal: {} },
      { onGap: 5 },
      { self: 'no' },
      { overflow: 'x' },
    ];
    for (const options of wrong) {
      expect(() => bus.subscribe('orders', options as never)).toThrow(coded('ERR_BUS_OPTIONS'));
      expect(() => bus.on('orders', () => undefined, options as never)).toThrow(coded('ERR_BUS_OPTIONS'));
      await expect(bus.once('orders', options as never)).rejects.toThrow(coded('ERR_BUS_OPTIONS'));
    }
    for (const options of [undefined, null, 5, { group: 'g', signal: {} }, { group: 5 }]) {
      expect(() => bus.consume('orders', options as never, () => undefined)).toThrow(coded('ERR_BUS_OPTIONS'));
    }
    for (const group of ['', 5, undefined, 'x'.repeat(300)] as never[]) {
      await expect(bus.lag('orders', group)).rejects.toThrow(coded('ERR_BUS_OPTIONS'));
      if (group !== undefined) expect(() => bus.deadLetters('orders', { group })).toThrow(coded('ERR_BUS_OPTIONS'));
    }
    for (const options of [{ limit: 0 }, { limit: Number.NaN }, { limit: '5' }, 5] as never[]) {
      await expect(bus.deadLetters('orders').list(options)).rejects.toThrow(coded('ERR_BUS_OPTIONS'));
    }
    for (const ids of [null, 'x', 5, {}] as never[]) {
      await expect(bus.deadLetters('orders').replay(ids)).rejects.toThrow(coded('ERR_BUS_OPTIONS'));
      await expect(bus.deadLetters('orders').remove(ids)).rejects.toThrow(coded('ERR_BUS_OPTIONS'));
    }
    await expect(bus.deadLetters('orders').list({ after: 'x' })).rejects.toThrow(coded('ERR_BUS_POSITION'));
    expect(bus.stats()).toMatchObject({ subscriptions: 0, consumers: 0 });
  });

  it('refuses positions and times that no server takes', async () => {
    const bus = await world.bus(channels);
    const positions = ['1-99999999999999999999', '-1-1', '1', '1-1@', '', 'x'.repeat(60_000), 5, null];
    const times = [1e300, -1, Number.NaN, null, '', true, '5', new Date(Number.NaN), {}];
    for (const from of [...positions.map((position) => ({ position })), ...times.map((time) => ({ time }))]) {
      expect(() => bus.subscribe('orders', { from: from as never })).toThrow(coded('ERR_BUS_POSITION'));
      expect(() => bus.consume('orders', { group: 'g', from: from as never }, () => undefined)).toThrow(
        coded('ERR_BUS_POSITION'),
      );
    }
    expect(() => bus.subscribe('orders', { from: { odrers: 'start' } })).toThrow(coded('ERR_BUS_CHANNEL'));
    expect(bus.stats()).toMatchObject({ subscriptions: 0, consumers: 0 });
  });
}
