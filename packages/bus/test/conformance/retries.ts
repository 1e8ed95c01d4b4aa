import { expect, it } from 'vitest';
import { until } from '../../../../test/servers/index.ts';
import type { World } from '../world.ts';
import { channels, range, unchecked } from './group-channels.ts';

/** Of handlers that fail, and of what is given up. */
export function retryConformance(world: World): void {
  it('tries again when the backoff is over, also what failed as the consumer began', async () => {
    const bus = await world.bus(channels);
    await bus.publish('orders', 1);
    const attempts: number[] = [];
    const began = performance.now();
    bus.consume('orders', { group: 'g', from: 'start', backoff: '50ms' }, (_, { attempt }) => {
      attempts.push(attempt);
      if (attempt < 3) throw new Error('not yet');
    });
    await until('it succeeds', () => attempts.length === 3);
    expect(attempts).toEqual([1, 2, 3]);
    // Consumers that are lost are looked for after 15 s.
    expect(performance.now() - began).toBeLessThan(5_000);
  });

  it('tries again each of several when its own backoff is over', async () => {
    const bus = await world.bus(channels);
    const attempts: string[] = [];
    const consumer = bus.consume('orders', { group: 'g', backoff: 200 }, async ({ data }, { attempt }) => {
      attempts.push(`${data}:${attempt}`);
      // The second one fails while the first waits for longer, and is looked for sooner.
      if (data === 1 && attempt === 2) await bus.publish('orders', 2);
      if (attempt < (data === 1 ? 3 : 2)) throw new Error('not yet');
    });
    await consumer.ready;
    await bus.publish('orders', 1);
    await until('both succeed', () => attempts.length === 5, 10_000);
    expect(attempts).toEqual(['1:1', '1:2', '2:1', '2:2', '1:3']);
  });

  it('waits no longer than the longest backoff', async () => {
    const bus = await world.bus(channels);
    let last = 0;
    const options = { group: 'g', backoff: 10, maxBackoff: 10, maxAttempts: 14 } as const;
    const consumer = bus.consume('orders', options, (_, { attempt }) => {
      last = attempt;
      throw new Error('never');
    });
    await consumer.ready;
    await bus.publish('orders', 1);
    // Doubled each time it would be more than a minute.
    await until('it is given up', async () => (await bus.lag('orders', 'g')).deadLetters === 1);
    expect(last).toBe(14);
  });

  it('tries again what fails, later each time, and then keeps it as a dead letter', async () => {
    const bus = await world.bus(channels);
    const attempts: { attempt: number; atMs: number }[] = [];
    const handled: number[] = [];
    const options = { group: 'g', maxAttempts: 3, backoff: 60, claimAfter: 400, maxBackoff: 400 } as const;
    const consumer = bus.consume('orders', options, ({ data }, { attempt }) => {
      if (data !== 1) return void handled.push(data);
      attempts.push({ attempt, atMs: performance.now() });
      throw new Error(`no luck with ${data}`);
    });
    await consumer.ready;
    for (const n of range(0, 3)) await bus.publish('orders', n);
    const letters = bus.deadLetters('orders');
    await until('it is given up', async () => (await letters.list()).length === 1);
    // The others did not wait for it.
    expect(handled).toEqual([0, 2]);
    expect(attempts.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
    const waits = attempts.slice(1).map(({ atMs }, i) => atMs - (attempts[i]?.atMs ?? 0));
    expect(waits[0]).toBeGreaterThanOrEqual(55);
    expect(waits[1]).toBeGreaterThanOrEqual(115);
    const [letter] = await letters.list();
    expect(letter).toMatchObject({
      group: 'g',
      attempts: 3,
      reason: 'no luck with 1',
      event: { data: 1, type: 'orders' },
    });
    expect(Math.abs((letter?.time ?? 0) - Date.now())).toBeLessThan(60_000);
    expect(await bus.lag('orders', 'g')).toMatchObject({ waiting: 0, pending: 0, deadLetters: 1 });
    expect(bus.stats().failures).toBe(3);
  });

  it('makes a dead letter of what does not pass the schema, at once', async () => {
    const [bus, other] = [await world.bus(channels), await world.bus(unchecked)];
    const seen: number[] = [];
    const consumer = bus.consume('checked', { group: 'g' }, ({ data }) => void seen.push(data.n));
    await consumer.ready;
    await other.publish('checked', { n: 'x' });
    await bus.publish('checked', { n: 1 });
    await until(
      'both are dealt with',
      async () => (await bus.lag('checked', 'g')).deadLetters === 1 && seen.length === 1,
    );
    const [letter] = await bus.deadLetters('checked').list();
    expect(letter).toMatchObject({ attempts: 1, reason: expect.stringContaining('schema') as string });
    expect(letter?.event).toBeUndefined();
    expect(letter?.message.toString()).toContain('"x"');
    expect(bus.stats().invalid).toBeGreaterThan(0);
  });
}
