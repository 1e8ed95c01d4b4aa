import { expect, it } from 'vitest';
import { until } from '../../../../test/servers/index.ts';
import type { World } from '../world.ts';
import { channels, range } from './group-channels.ts';

/** Of what was given up, and comes back. */
export function deadLetterConformance(world: World): void {
  it('replays dead letters for their group alone, or discards them', async () => {
    const bus = await world.bus(channels);
    const [seen, others]: [string[], string[]] = [[], []];
    let broken = true;
    const options = { maxAttempts: 1 } as const;
    const consumers = [
      bus.consume('jobs:{project}', { ...options, group: 'g' }, ({ data, params }) => {
        if (broken) throw new Error('broken');
        seen.push(`${params.project}=${data}`);
      }),
      bus.consume('jobs:*', { ...options, group: 'other' }, ({ data }) => void others.push(data)),
    ];
    await Promise.all(consumers.map(({ ready }) => ready));
    for (const n of ['1', '2', '3']) await bus.publish('jobs:{project}', n, { params: { project: 'a:b' } });
    const letters = bus.deadLetters('jobs:{project}', { group: 'g' });
    await until('all are given up', async () => (await letters.list()).length === 3);
    expect(await bus.deadLetters('jobs:{project}', { group: 'other' }).list()).toEqual([]);
    expect(await bus.deadLetters('jobs:{project}', { group: 'other' }).replay()).toBe(0);
    const all = await letters.list();
    const second = await letters.list({ after: String(all[0]?.id), limit: 1 });
    expect(second.map(({ event }) => event?.data)).toEqual(['2']);
    for (const after of ['', 'none', '-', '+', '1', '1-99999999999999999999']) {
      await expect(letters.list({ after })).rejects.toMatchObject({ code: 'ERR_BUS_POSITION' });
    }
    const everybody = bus.subscribe('jobs:{project}');
    await everybody.ready;
    broken = false;
    expect(await letters.remove([all[0]?.id ?? ''])).toBe(1);
    expect(await letters.replay([all[1]?.id ?? '', 'none'])).toBe(1);
    await until('it is handled', () => seen.length === 1);
    expect(await letters.replay()).toBe(1);
    await until('the last is handled', () => seen.length === 2);
    expect(seen).toEqual(['a:b=2', 'a:b=3']);
    expect(others).toEqual(['1', '2', '3']);
    expect(everybody.queued).toBe(0);
    expect(await letters.list()).toEqual([]);
  });

  it('replays each dead letter once in a call, though it is given up again at once', async () => {
    const bus = await world.bus(channels);
    let tries = 0;
    const consumer = bus.consume('orders', { group: 'g', maxAttempts: 1, concurrency: 50 }, () => {
      tries++;
      throw new Error('never');
    });
    await consumer.ready;
    const count = 220;
    for (const n of range(0, count)) await bus.publish('orders', n);
    const letters = bus.deadLetters('orders', { group: 'g' });
    await until('all are given up', async () => (await bus.lag('orders', 'g')).deadLetters === count);
    expect(await letters.replay()).toBe(count);
    await until('and again', async () => (await bus.lag('orders', 'g')).deadLetters === count && tries === 2 * count);
    expect(await letters.remove()).toBe(count);
    expect(await letters.list()).toEqual([]);
  });
}
