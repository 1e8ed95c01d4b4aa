import { expect, it } from 'vitest';
import { until } from '../../../../test/servers/index.ts';
import type { World } from '../world.ts';
import { channels, range } from './group-channels.ts';

/** Of what trimming takes from a group. */
export function trimmingConformance(world: World): void {
  it('counts what trimming took from a group before it had it', async () => {
    const bus = await world.bus(channels);
    const consumer = bus.consume('short', { group: 'g' }, () => undefined);
    await consumer.ready;
    await consumer.close();
    for (const n of range(0, 400)) await bus.publish('short', n);
    const state = await bus.lag('short', 'g');
    const lost = state.lost;
    expect(lost).toBeGreaterThanOrEqual(200);
    expect(lost).toBeLessThanOrEqual(300);
    const seen: number[] = [];
    bus.consume('short', { group: 'g' }, ({ data }) => void seen.push(data));
    await until('the rest is handled', () => seen.at(-1) === 399);
    expect(seen).toEqual(range(lost, 400));
    expect(await bus.lag('short', 'g')).toMatchObject({ lost });
  });

  it.each(['place', 'time'] as const)('counts what trimming took from a group that begins at a %s', async (at) => {
    const bus = await world.bus(channels);
    for (const n of range(0, 5)) await bus.publish('short', n);
    const { position = '' } = await bus.publish('short', 5);
    const time = Number(position.split('-')[0]) + 1;
    await until('a later time', () => Date.now() > time);
    const from = at === 'place' ? { position } : { time };
    const group = (): ReturnType<typeof bus.consume> =>
      bus.consume('short', { group: 'g', from }, ({ data }) => void seen.push(data));
    const seen: number[] = [];
    const first = group();
    await first.ready;
    await first.close();
    for (const n of range(6, 400)) await bus.publish('short', n);
    const { lost } = await bus.lag('short', 'g');
    expect(lost).toBeGreaterThanOrEqual(194);
    // Who has caught up loses nothing more, however much is trimmed.
    const second = group();
    await until('the rest is handled', () => seen.at(-1) === 399);
    expect(seen).toEqual(range(6 + lost, 400));
    for (const n of range(400, 700)) {
      await bus.publish('short', n);
      if (n % 50 === 49) await until('it keeps up', () => seen.at(-1) === n);
    }
    expect(await bus.lag('short', 'g')).toMatchObject({ lost, waiting: 0 });
    await second.close();
  });

  it('counts as lost what was trimmed before it could be given up', async () => {
    const bus = await world.bus(channels);
    let begun = false;
    let release = (): void => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    const consumer = bus.consume('short', { group: 'g', maxAttempts: 1, batch: 1 }, async ({ data }) => {
      if (data !== 0) return;
      begun = true;
      await held;
      throw new Error('too late');
    });
    await consumer.ready;
    await bus.publish('short', 0);
    await until('it has begun', () => begun);
    for (const n of range(1, 400)) await bus.publish('short', n);
    const before = (await bus.lag('short', 'g')).lost;
    release();
    await until('it is counted', async () => (await bus.lag('short', 'g')).lost === before + 1);
    expect(await bus.lag('short', 'g')).toMatchObject({ deadLetters: 0 });
  });
}
