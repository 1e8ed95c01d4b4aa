import { expect, it } from 'vitest';
import { until } from '../../../../test/servers/index.ts';
import { sleep } from '../../../../test/support/sleep.ts';
import type { World } from '../world.ts';
import { channels, range } from './group-channels.ts';

/** Of groups of consumers: who gets which event. */
export function groupConformance(world: World): void {
  it('gives each event to one consumer of each group', async () => {
    const publisher = await world.bus(channels);
    const buses = [publisher, await world.bus(channels), await world.bus(channels)];
    const seen: { group: string; bus: number; n: number }[] = [];
    const consumers = ['one', 'two'].flatMap((group) =>
      buses.map((bus, i) =>
        bus.consume('orders', { group, batch: 5 }, async ({ data }) => {
          seen.push({ group, bus: i, n: data });
          await sleep(1);
        }),
      ),
    );
    await Promise.all(consumers.map(({ ready }) => ready));
    await Promise.all(range(0, 60).map((n) => publisher.publish('orders', n)));
    await until('all are handled', () => seen.length >= 120);
    await Promise.all(consumers.map((consumer) => consumer.close()));
    for (const group of ['one', 'two']) {
      const own = seen.filter((one) => one.group === group);
      expect(own.map(({ n }) => n).toSorted((a, b) => a - b)).toEqual(range(0, 60));
      expect(new Set(own.map(({ bus }) => bus)).size).toBeGreaterThan(1);
    }
    const [stream, ...others] = publisher.streams();
    expect(others.every(({ name }) => name !== 'orders')).toBe(true);
    expect(stream?.name).toBe('orders');
    expect((await stream?.groups())?.map(({ name, waiting }) => `${name} ${waiting}`).toSorted()).toEqual([
      'one 0',
      'two 0',
    ]);
    expect(await publisher.lag('orders', 'one')).toEqual({
      waiting: 0,
      pending: 0,
      consumers: 0,
      lost: 0,
      deadLetters: 0,
    });
    await publisher.close();
    expect(publisher.streams()).toEqual([]);
  });

  it('goes on where the group was, in order for one consumer', async () => {
    const bus = await world.bus(channels);
    const seen: number[] = [];
    for (const n of range(0, 5)) await bus.publish('orders', n);
    const consume = (): ReturnType<typeof bus.consume> =>
      bus.consume('orders', { group: 'g', from: 'start' }, ({ data }) => void seen.push(data));
    const first = consume();
    await until('what was before is handled', () => seen.length === 5);
    await first.close();
    for (const n of range(5, 10)) await bus.publish('orders', n);
    expect(await bus.lag('orders', 'g')).toMatchObject({ waiting: 5, pending: 0 });
    consume();
    await until('the rest is handled', () => seen.length === 10);
    expect(seen).toEqual(range(0, 10));
  });

  it('handles as many at the same time as it is told', async () => {
    const bus = await world.bus(channels);
    let [now, most, done] = [0, 0, 0];
    const consumer = bus.consume('orders', { group: 'g', concurrency: 4 }, async () => {
      most = Math.max(most, ++now);
      await sleep(5);
      now--;
      done++;
    });
    await consumer.ready;
    await Promise.all(range(0, 24).map((n) => bus.publish('orders', n)));
    await until('all are handled', () => done === 24);
    expect(most).toBe(4);
  });

  it('does not take over what another consumer is still working on', async () => {
    const [one, two] = [await world.bus(channels), await world.bus(channels)];
    let runs = 0;
    const slow = async (): Promise<void> => {
      runs++;
      await sleep(1_200);
    };
    // The other would take it over sooner than the one at work looks for what it left itself.
    const working = one.consume('orders', { group: 'g', claimAfter: 900, maxBackoff: 900 }, slow);
    await working.ready;
    await one.publish('orders', 1);
    await until('it has begun', () => runs === 1);
    two.consume('orders', { group: 'g', claimAfter: 600, maxBackoff: 600 }, slow);
    await until('it is finished', async () => runs > 0 && (await one.lag('orders', 'g')).pending === 0);
    expect(runs).toBe(1);
  });

  it('works off durable channels only, and as a whole', async () => {
    const bus = await world.bus(channels);
    const nothing = (): void => {};
    const wrong = { code: 'ERR_BUS_CHANNEL' };
    for (const name of ['news', 'n*', 'jobs:a', 'jobs:a*', 'none', '']) {
      expect(() => bus.consume(name, { group: 'g' }, nothing)).toThrow(expect.objectContaining(wrong) as Error);
    }
    for (const options of [
      {},
      { group: '' },
      { group: 'g', concurrency: 0 },
      { group: 'g', maxBackoff: '1h' },
      { group: 'g', x: 1 },
    ]) {
      expect(() => bus.consume('orders', options as never, nothing)).toThrow(
        expect.objectContaining({ code: 'ERR_BUS_OPTIONS' }) as Error,
      );
    }
    expect(() => bus.consume(['orders', 'news' as string], { group: 'g' }, nothing)).toThrow(
      expect.objectContaining(wrong) as Error,
    );
    // Of what a pattern matches it means what is durable.
    const all = bus.consume('*', { group: 'g' }, nothing);
    expect(bus.stats().consumers).toBe(4);
    await all.close();
    await expect(bus.lag('news' as never, 'g')).rejects.toMatchObject(wrong);
    expect(bus.stats().consumers).toBe(0);
  });
}
