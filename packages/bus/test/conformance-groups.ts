import { expect, it } from 'vitest';
import * as z from 'zod';
import { until } from '../../../test/servers/index.ts';
import { sleep } from '../../../test/support/sleep.ts';
import { durable, ephemeral, type ConsumeContext } from '../src/index.ts';
import type { World } from './world.ts';

const channels = {
  orders: durable<number>(),
  'jobs:{project}': durable<string>(),
  short: durable<number>({ maxLength: 100 }),
  checked: durable(z.object({ n: z.number() })),
  news: ephemeral<string>(),
};
/** The same stream, for a publisher that knows another schema. */
const unchecked = { checked: durable() };

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

/** Of groups of consumers. */
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
