import type { StandardSchemaV1 } from '@standard-schema/spec';
import { expect, it } from 'vitest';
import { until } from '../../../../test/servers/index.ts';
import { countingClock } from '../../../../test/support/counting-clock.ts';
import { sleep } from '../../../../test/support/sleep.ts';
import { durable, ephemeral, fed, type Bus } from '../../src/index.ts';
import { taken, type World } from '../world.ts';

/** A schema that does what it is told with data. */
function schema<T>(validate: (value: unknown) => unknown): StandardSchemaV1<T, T> {
  return { '~standard': { version: 1, vendor: 'test', validate: validate as never } };
}

/** A promise of another kind than the language's. */
function thenable<T>(promise: Promise<T>): PromiseLike<T> {
  // oxlint-disable-next-line unicorn/no-thenable -- that is what it is for
  return { then: (resolve, reject) => promise.then(resolve, reject) };
}

const channels = {
  news: ephemeral<number>(),
  orders: durable<number>(),
};

/** Of what handlers and schemas may do. */
export function callbackConformance(world: World): void {
  it('waits for thenables of handlers as for promises', async () => {
    const bus = await world.bus(channels);
    const log: string[] = [];
    const work = (name: string, fails: boolean): PromiseLike<void> =>
      thenable(
        (async () => {
          log.push(`begin ${name}`);
          await sleep(5);
          log.push(`end ${name}`);
          if (fails) throw new Error('later');
        })(),
      );
    const off = bus.on('news', ({ data }) => work(`news ${data}`, data === 1));
    const consumer = bus.consume('orders', { group: 'g', maxAttempts: 1 }, ({ data }) =>
      work(`order ${data}`, data === 1),
    );
    await Promise.all([off.ready, consumer.ready]);
    for (const n of [1, 2]) {
      await bus.publish('news', n);
      await bus.publish('orders', n);
    }
    await until('all are handled', () => log.filter((line) => line.startsWith('end')).length === 4);
    for (const kind of ['news', 'order']) {
      const own = log.filter((line) => line.includes(kind));
      expect(own).toEqual([`begin ${kind} 1`, `end ${kind} 1`, `begin ${kind} 2`, `end ${kind} 2`]);
    }
    await until('the failure is known', async () => (await bus.lag('orders', 'g')).deadLetters === 1);
    expect(bus.stats().failures).toBe(2);
  });

  it('goes on whatever schemas do', async () => {
    const judge = (value: unknown): unknown => {
      if (value === 'throws') throw new Error('a schema that throws');
      if (value === 'rejects') return Promise.reject(new Error('a schema that rejects'));
      if (value === 'nothing') return undefined;
      if (value === 'nothing later') return Promise.resolve(undefined);
      if (value === 'thenable') return thenable(Promise.resolve({ issues: [{ message: 'no' }] }));
      return value === 'late' ? Promise.resolve({ value }) : { value };
    };
    const hostile = { news: ephemeral(schema<string>(judge)), orders: durable(schema<string>(judge)) };
    const open = { news: ephemeral<string>(), orders: durable<string>() };
    const [bus, publisher] = [await world.bus(hostile), await world.bus(open)];
    const events = bus.subscribe('news');
    const kept = bus.subscribe('orders');
    const [heard, handled]: string[][] = [[], []];
    const off = bus.on('news', ({ data }) => void heard?.push(data));
    const consumer = bus.consume('orders', { group: 'g' }, ({ data }) => void handled?.push(data));
    await Promise.all([events.ready, kept.ready, off.ready, consumer.ready]);
    const bad = ['throws', 'rejects', 'nothing', 'nothing later', 'thenable'];
    for (const data of [...bad, 'late', 'last']) {
      await publisher.publish('news', data);
      await publisher.publish('orders', data);
    }
    expect(await taken(events, 2)).toEqual(['late', 'last']);
    expect(await taken(kept, 2)).toEqual(['late', 'last']);
    await until('handlers get the rest', () => heard?.length === 2 && handled?.length === 2);
    await until('and a group keeps it', async () => (await bus.lag('orders', 'g')).deadLetters === bad.length);
    expect(bus.stats().invalid).toBe(4 * bad.length);
    for (const data of bad) await expect(bus.publish('news', data)).rejects.toMatchObject({ code: 'ERR_BUS_SCHEMA' });
  });

  it('neither publishes nor hands out what a schema lets pass after the end', async () => {
    let judge = (): void => {};
    const late = schema<number>((value) => new Promise((resolve) => (judge = () => resolve({ value }))));
    const [bus, other] = [await world.bus({ news: ephemeral(late) }), await world.bus(channels)];
    const seen: number[] = [];
    const off = bus.on('news', ({ data }) => void seen.push(data));
    const probe = other.subscribe('news');
    await Promise.all([off.ready, probe.ready]);
    const idle = judge;
    await other.publish('news', 1);
    await until('it is asked', () => judge !== idle);
    off();
    judge();
    const asked = judge;
    const published = bus.publish('news', 2).catch((error: { code?: string }) => error.code);
    await until('it is asked again', () => judge !== asked);
    await bus.close();
    judge();
    expect(await published).toBe('ERR_BUS_CLOSED');
    await other.publish('news', 3);
    expect(await taken(probe, 2)).toEqual([1, 3]);
    expect(seen).toEqual([]);
  });

  it('ends what waits for a schema that never answers', async () => {
    const never = {
      news: ephemeral(schema<number>(() => new Promise(() => undefined))),
      orders: durable(schema<number>(() => new Promise(() => undefined))),
    };
    const [bus, publisher] = [await world.bus(never), await world.bus(channels)];
    const events = bus.subscribe('news');
    const returned = bus.subscribe('news');
    const consumer = bus.consume('orders', { group: 'g', drainTimeout: 20 }, () => undefined);
    await Promise.all([events.ready, returned.ready, consumer.ready]);
    const asked = [events.next(), events.next(), returned.next()];
    await publisher.publish('news', 1);
    await publisher.publish('orders', 1);
    await until('it is asked', async () => (await bus.lag('orders', 'g')).pending === 1);
    await returned.return?.();
    await bus.close();
    for (const one of asked) expect(await one).toEqual({ value: undefined, done: true });
  });

  it('lets handlers end, add and publish', async () => {
    const bus = await world.bus(channels);
    const log: string[] = [];
    const off = bus.on('news', async ({ data }) => {
      log.push(`first ${data}`);
      if (data === 1) {
        const inner = bus.on('news', (event) => {
          log.push(`inner ${event.data}`);
          inner();
        });
        await inner.ready;
        await bus.publish('news', 2);
      }
      if (data === 2) off();
    });
    await off.ready;
    await bus.publish('news', 1);
    await until('both heard of it', () => log.length === 3);
    const probe = bus.subscribe('news');
    await probe.ready;
    await bus.publish('news', 3);
    await taken(probe, 1);
    expect(log.toSorted()).toEqual(['first 1', 'first 2', 'inner 2']);
    expect(bus.stats().subscriptions).toBe(1);
  });

  it('can be closed within a handler', async () => {
    const [bus, other] = [await world.bus(channels), await world.bus(channels)];
    const log: string[] = [];
    const off = bus.on('news', async () => {
      await bus.close();
      log.push('closed');
    });
    const consumer = other.consume('orders', { group: 'g', drainTimeout: 50 }, async () => {
      await other.close();
      log.push('closed');
    });
    await Promise.all([off.ready, consumer.ready]);
    await bus.publish('news', 1);
    await other.publish('orders', 1);
    await until('both are closed', () => log.length === 2);
  });

  it('keeps of what handlers throw what can be kept', async () => {
    const bus = await world.bus(channels);
    const thrown = [Object.create(null), new Error('x'.repeat(5_000)), null];
    const consumer = bus.consume('orders', { group: 'g', maxAttempts: 1 }, ({ data }) => {
      throw thrown[data];
    });
    await consumer.ready;
    for (const n of thrown.keys()) await bus.publish('orders', n);
    const letters = bus.deadLetters('orders');
    await until('all are given up', async () => (await letters.list()).length === 3);
    const reasons = new Map((await letters.list()).map(({ event, reason }) => [event?.data, reason]));
    expect(reasons.get(0)).toBe('something that has no text');
    expect(reasons.get(1)).toBe('x'.repeat(1_000));
    expect(reasons.get(2)).toBe('null');
  });

  it('leaves no timer when it closes, whatever it waits for', async () => {
    const clock = countingClock();
    const [bus, other] = [await world.bus(channels, { clock }), await world.bus(channels)];
    const before = clock.timers;
    const consumer = bus.consume('orders', { group: 'g', backoff: '30s', drainTimeout: '1h' }, ({ data }) => {
      if (data === 0) throw new Error('not now');
    });
    const waiting = bus.once('news', { timeout: '1h' }).catch((error: { code?: string }) => error.code);
    const heard = bus.subscribe(['news', 'orders']);
    await Promise.all([consumer.ready, heard.ready]);
    for (const n of [0, 1]) await other.publish('orders', n);
    await until('one failed', () => bus.stats().failures === 1);
    expect(clock.timers).toBeGreaterThan(before);
    await bus.close();
    expect(await waiting).toBe('ERR_BUS_CLOSED');
    await until('none is left', () => clock.timers === 0);
  });

  it('leaves no listener on a signal, however it ends', async () => {
    const bus = await world.bus(channels);
    let listeners = 0;
    const { signal } = new AbortController();
    const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)];
    Object.assign(signal, {
      addEventListener: (...args: Parameters<typeof add>) => (listeners++, add(...args)),
      removeEventListener: (...args: Parameters<typeof remove>) => (listeners--, remove(...args)),
    });
    bus.subscribe('news', { signal }).close();
    bus.on('news', () => undefined, { signal })();
    await bus.once('news', { signal, timeout: 5 }).catch(() => undefined);
    await bus.consume('orders', { group: 'g', signal }, () => undefined).close();
    expect(listeners).toBe(0);
    bus.subscribe('news', { signal });
    bus.consume('orders', { group: 'g', signal }, () => undefined);
    expect(listeners).toBe(2);
    await bus.close();
    expect(listeners).toBe(0);
  });

  it('ends what a source within the process feeds, whenever that tells and whatever it throws', async () => {
    let feeding = 0;
    let tell: ((n: number) => void) | undefined;
    const eager = fed<number>((emit) => {
      tell = emit;
      feeding++;
      emit(1);
      emit(2);
      emit(3);
      return () => {
        feeding--;
        throw new Error('a source that cannot be stopped');
      };
    });
    const bus = await world.bus({ ...channels, 'system:eager': eager });
    const inner: { bus: Bus<typeof channels> } = { bus: await world.bus(channels) };
    expect(await taken(bus.subscribe('system:eager'), 3)).toEqual([1, 2, 3]);
    const full = bus.subscribe('system:eager', { maxQueue: 1, overflow: 'disconnect' });
    await expect(full.next()).rejects.toMatchObject({ code: 'ERR_BUS_OVERFLOW' });
    expect(feeding).toBe(1);
    await inner.bus.close();
    const last = bus.subscribe('system:eager');
    await bus.close();
    expect(feeding).toBe(0);
    // Also one that does not stop.
    tell?.(4);
    expect(last.queued).toBe(0);
  });

  it('hears what this process feeds though it leaves out what it published itself', async () => {
    const told = fed<string>((emit) => {
      emit('x');
      return () => undefined;
    });
    const bus = await world.bus({ ...channels, 'system:told': told });
    expect(await taken(bus.subscribe('system:told', { self: false }), 1)).toEqual(['x']);
  });

  it('keeps one of concurrency, also after a handler that throws at once', async () => {
    const bus = await world.bus(channels);
    let [now, most] = [0, 0];
    const seen: number[] = [];
    const consumer = bus.consume('orders', { group: 'g', backoff: '30s' }, ({ data }) => {
      if (data % 3 === 0) throw new Error('at once');
      return (async () => {
        most = Math.max(most, ++now);
        await sleep(2);
        now--;
        seen.push(data);
      })();
    });
    await consumer.ready;
    await Promise.all(Array.from({ length: 30 }, (_, n) => bus.publish('orders', n)));
    await until('all are handled', () => seen.length === 20);
    expect(most).toBe(1);
  });
}
