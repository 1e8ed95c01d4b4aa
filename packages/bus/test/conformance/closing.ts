import { expect, it } from 'vitest';
import { until } from '../../../../test/servers/index.ts';
import { sleep } from '../../../../test/support/sleep.ts';
import type { ConsumeContext } from '../../src/index.ts';
import type { World } from '../world.ts';
import { channels, range } from './group-channels.ts';

/** Of consumers that close, and what they leave to others. */
export function closingConformance(world: World): void {
  it('tells handlers that it does not wait for, also those that look later', async () => {
    const bus = await world.bus(channels);
    const contexts: ConsumeContext[] = [];
    const consumer = bus.consume('orders', { group: 'g', concurrency: 2, drainTimeout: 10 }, (_, context) => {
      contexts.push(context);
      return new Promise(() => {});
    });
    await consumer.ready;
    for (const n of [1, 2]) await bus.publish('orders', n);
    await until('both are at work', () => contexts.length === 2);
    const early = contexts[0]?.signal;
    expect(early?.aborted).toBe(false);
    await consumer.close();
    expect([early?.aborted, contexts[1]?.signal.aborted]).toEqual([true, true]);
  });

  it('leaves what a consumer that closes had not begun to others at once, and waits for what it had', async () => {
    const [one, two] = [await world.bus(channels), await world.bus(channels)];
    const log: string[] = [];
    let release = (): void => {};
    const held = new Promise<void>((resolve) => (release = resolve));
    const first = one.consume('orders', { group: 'g', drainTimeout: '1m' }, async ({ data }) => {
      log.push(`begin ${data}`);
      await held;
      log.push(`end ${data}`);
    });
    await first.ready;
    for (const n of range(0, 3)) await one.publish('orders', n);
    await until('it has begun', () => log.length === 1);
    const closing = first.close();
    // It would take over what was only silent much later than this test waits.
    const second = two.consume(
      'orders',
      { group: 'g', claimAfter: '20s' },
      ({ data }) => void log.push(`other ${data}`),
    );
    await until('another takes over while the first is at work', () => new Set(log).size === 3);
    expect(log).not.toContain('end 0');
    release();
    await closing;
    expect([...new Set(log)].toSorted()).toEqual(['begin 0', 'end 0', 'other 1', 'other 2']);
    await second.close();
  });

  it('leaves what had not begun to consumers that are there already', async () => {
    const [one, two] = [await world.bus(channels), await world.bus(channels)];
    const options = { group: 'g', from: 'start', claimAfter: '1m' } as const;
    for (const n of range(0, 3)) await one.publish('orders', n);
    const first = one.consume('orders', { ...options, drainTimeout: 1 }, () => new Promise(() => undefined));
    await until('it has all of them', async () => (await one.lag('orders', 'g')).pending === 3);
    const others: number[] = [];
    await two.consume('orders', options, ({ data }) => void others.push(data)).ready;
    // It has looked for what others left, and found nothing.
    await sleep(100);
    expect(others).toEqual([]);
    await first.close();
    await until('what had not begun is handled', () => others.length === 2);
    expect(others).toEqual([1, 2]);
  });

  it('may be closed while events arrive', async () => {
    const bus = await world.bus(channels);
    const seen = new Set<number>();
    const consume = (): ReturnType<typeof bus.consume> =>
      bus.consume(
        'orders',
        { group: 'g', from: 'start', claimAfter: 50, maxBackoff: 50 },
        ({ data }) => void seen.add(data),
      );
    let sent = 0;
    for (let round = 0; round < 20; round++) {
      const consumer = consume();
      if (round % 2 === 0) await consumer.ready;
      const sends = range(sent, (sent += 5)).map((n) => bus.publish('orders', n));
      await sends[round % 5];
      await Promise.all([consumer.close(), ...sends]);
    }
    consume();
    await until('nothing is lost', () => seen.size === sent);
  });

  it('does not count as tried what a consumer that closes had not begun', async () => {
    const [one, two] = [await world.bus(channels), await world.bus(channels)];
    const options = { group: 'g', maxAttempts: 1, from: 'start' } as const;
    for (const n of range(0, 5)) await one.publish('orders', n);
    const begun: number[] = [];
    const first = one.consume('orders', { ...options, drainTimeout: 1 }, ({ data }) => {
      begun.push(data);
      return new Promise(() => undefined);
    });
    await until('it has all of them', async () => (await one.lag('orders', 'g')).pending === 5);
    await first.close();
    const handled: { n: number; attempt: number }[] = [];
    two.consume('orders', options, ({ data }, { attempt }) => void handled.push({ n: data, attempt }));
    await until('the others are handled', () => handled.length === 4);
    expect(begun).toEqual([0]);
    expect(handled).toEqual(range(1, 5).map((n) => ({ n, attempt: 1 })));
    expect(await two.lag('orders', 'g')).toMatchObject({ deadLetters: 0 });
  });

  it('leaves nothing behind when it closes, whatever is under way', async () => {
    const bus = await world.bus(channels);
    const seen = new Set<number>();
    let sent = 0;
    for (let round = 0; round < 10; round++) {
      const consumer = bus.consume(
        'orders',
        { group: 'g', from: 'start', batch: 3, backoff: 1 },
        ({ data }, { attempt }) => {
          if (attempt === 1 && data % 4 === 0) throw new Error('not yet');
          seen.add(data);
        },
      );
      if (round % 2 === 0) await consumer.ready;
      const sends = range(sent, (sent += 7)).map((n) => bus.publish('orders', n));
      await sends[round % 7];
      await Promise.all([consumer.close(), ...sends]);
      const { waiting, pending, consumers } = await bus.lag('orders', 'g');
      // What failed and is not due yet is the only thing that a consumer keeps to its name.
      expect({ round, consumers: consumers <= pending ? 0 : consumers }).toEqual({ round, consumers: 0 });
      expect(waiting).toBeLessThanOrEqual(sent);
    }
    const last = bus.consume(
      'orders',
      { group: 'g', from: 'start', claimAfter: 50, maxBackoff: 50 },
      ({ data }) => void seen.add(data),
    );
    await until('nothing is lost', () => seen.size === sent);
    await last.close();
    await bus.close();
  });

  it('settles that it is ready in any case', async () => {
    const bus = await world.bus(channels);
    const consumer = bus.consume('orders', { group: 'g' }, () => undefined);
    const closing = consumer.close();
    await expect(consumer.ready).rejects.toMatchObject({ code: 'ERR_BUS_CLOSED' });
    await closing;
    const aborted = bus.consume('orders', { group: 'g', signal: AbortSignal.abort() }, () => undefined);
    await expect(aborted.ready).rejects.toMatchObject({ code: 'ERR_BUS_CLOSED' });
    await aborted.close();
    expect(bus.stats().consumers).toBe(0);
  });
}
