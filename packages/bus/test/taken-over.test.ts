import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { until } from '../../../test/servers/index.ts';
import { sharedRedis } from '../../../test/support/shared-redis.ts';
import { sleep } from '../../../test/support/sleep.ts';
import { durable, type ConsumeContext } from '../src/index.ts';
import { world } from './world.ts';

// Of consumers that were taken for dead: what they have is given to others by hand.
const channels = { orders: durable<number>() };
let admin: Redis;
const { bus, prefix } = world(() => sharedRedis());
const stream = (): string => `${prefix()}bus:{orders}`;
const group = (): Promise<[id: string, owner: string, idleMs: number, times: number][]> =>
  admin.xpending(stream(), 'g', '-', '+', 100) as Promise<[string, string, number, number][]>;

beforeAll(() => {
  admin = new Redis(inject('redisUrl'));
});
afterAll(() => admin.disconnect());

/** A handler that waits until it is let go, and what it was given. */
function held() {
  const begun: { n: number; context: ConsumeContext }[] = [];
  let letGo = (): void => {};
  const gate = new Promise<void>((resolve) => (letGo = resolve));
  const handler = async ({ data: n }: { data: number }, context: ConsumeContext): Promise<void> => {
    begun.push({ n, context });
    await gate;
  };
  return { begun, handler, letGo: () => letGo() };
}

test('a handler whose event went to another consumer is told, and what waited behind it is left to that', async () => {
  const one = await bus(channels);
  const { begun, handler, letGo } = held();
  const consumer = one.consume('orders', { group: 'g', claimAfter: '3s' }, handler);
  await consumer.ready;
  await Promise.all([0, 1, 2].map((n) => one.publish('orders', n)));
  await until('it has all of them', async () => begun.length === 1 && (await group()).length === 3);
  const { signal } = begun[0]?.context ?? {};
  expect(signal?.aborted).toBe(false);
  const [first, second] = (await group()).map(([id]) => id);
  await admin.xclaim(stream(), 'g', 'other', 0, first ?? '', second ?? '', 'JUSTID');
  await until('it is told', () => signal?.aborted === true);
  letGo();
  await until('the third is handled', () => begun.length === 2);
  expect(begun.map(({ n }) => n)).toEqual([0, 2]);
  // What was finished is, whoever has it now; the other one stays where it is.
  await until('nothing else is left', async () => (await group()).length === 1);
  expect((await group()).map(([id, owner]) => [id, owner])).toEqual([[second, 'other']]);
  await consumer.close();
});

test('what another consumer has is neither begun nor given back, and no dead letter', async () => {
  const one = await bus(channels);
  await one.consume('orders', { group: 'g' }, () => undefined).close();
  for (let n = 0; n < 4; n++) await one.publish('orders', n);
  await admin.xreadgroup('GROUP', 'g', 'dead', 'STREAMS', stream(), '>');
  const [ids] = [(await group()).map(([id]) => id)];
  await admin.xclaim(stream(), 'g', 'dead', 0, ...ids, 'IDLE', 600_000, 'JUSTID');
  const begun: number[] = [];
  let letGo = (): void => {};
  const gate = new Promise<void>((resolve) => (letGo = resolve));
  const options = { group: 'g', claimAfter: '5m', maxAttempts: 2, drainTimeout: 1 } as const;
  const consumer = one.consume('orders', options, async ({ data }) => {
    begun.push(data);
    await gate;
    throw new Error('too late');
  });
  await until('it has taken over, and begun with the first', () => begun.length === 1);
  // The first is finished by another meanwhile, and the second and third are another's.
  await admin.xack(stream(), 'g', ids[0] ?? '');
  await admin.xclaim(stream(), 'g', 'other', 0, ids[1] ?? '', ids[2] ?? '', 'JUSTID');
  letGo();
  await until('the last is given up', async () => (await one.lag('orders', 'g')).deadLetters > 0);
  expect(begun).toEqual([0, 3]);
  expect((await one.deadLetters('orders').list()).map(({ event }) => event?.data)).toEqual([3]);
  expect((await group()).map(([id, owner]) => [id, owner])).toEqual([
    [ids[1], 'other'],
    [ids[2], 'other'],
  ]);
  await consumer.close();
});

test('what a consumer was given that closes, and never heard of, is as if it had not been given', async () => {
  const one = await bus(channels);
  const { begun, handler } = held();
  const options = { group: 'g', claimAfter: '1m', drainTimeout: 1 } as const;
  const consumer = one.consume('orders', options, handler);
  await consumer.ready;
  await one.publish('orders', 0);
  await until('one is at work', () => begun.length === 1);
  await one.publish('orders', 1);
  await until('one waits, and it reads no more', async () => (await group()).length === 2);
  await one.publish('orders', 2);
  const [[, owner] = ['', '']] = await group();
  await admin.xreadgroup('GROUP', 'g', owner, 'STREAMS', stream(), '>');
  await consumer.close();
  const left = await group();
  expect(left.map(([, , idleMs, times]) => [idleMs >= 60_000, times])).toEqual([
    [false, 1],
    [true, 0],
    [true, 0],
  ]);
});

test('a failure says nothing of an event that another consumer has', async () => {
  const one = await bus(channels);
  const begun: number[] = [];
  let letGo = (): void => {};
  const gate = new Promise<void>((resolve) => (letGo = resolve));
  const consumer = one.consume('orders', { group: 'g', claimAfter: '5m', backoff: 1 }, async ({ data }) => {
    begun.push(data);
    if (data !== 0) return;
    await gate;
    throw new Error('too late');
  });
  await consumer.ready;
  await one.publish('orders', 0);
  await until('it has begun', () => begun.length === 1);
  const [[id] = ['']] = await group();
  await admin.xclaim(stream(), 'g', 'other', 0, id, 'JUSTID');
  letGo();
  await until('it failed', () => one.stats().failures === 1);
  await one.publish('orders', 1);
  await until('it went on', () => begun.includes(1));
  await until('that is all', async () => (await group()).length === 1);
  expect((await group()).map(([own, owner]) => [own, owner])).toEqual([[id, 'other']]);
  expect(begun).toEqual([0, 1]);
  await consumer.close();
});

test('what is at work here is not begun again, though the group takes it for abandoned', async () => {
  const one = await bus(channels);
  const { begun, handler, letGo } = held();
  const consumer = one.consume('orders', { group: 'g', claimAfter: 100, maxBackoff: 100, concurrency: 5 }, handler);
  await consumer.ready;
  await one.publish('orders', 0);
  await until('it has begun', () => begun.length === 1);
  const [[id, owner] = ['', '']] = await group();
  for (let i = 0; i < 15; i++) {
    await admin.xclaim(stream(), 'g', owner, 0, id, 'IDLE', 600_000, 'JUSTID');
    await sleep(15);
  }
  expect(begun).toHaveLength(1);
  letGo();
  await until('it is finished', async () => (await group()).length === 0);
  await consumer.close();
});

test('a consumer that is long gone is forgotten, though not with what it had', async () => {
  const one = await bus(channels);
  await one.consume('orders', { group: 'g' }, () => undefined).close();
  for (let n = 0; n < 4; n++) await one.publish('orders', n);
  await admin.xreadgroup('GROUP', 'g', 'dead', 'STREAMS', stream(), '>');
  // A hundred times as long as it takes to be taken for dead.
  await sleep(600);
  const handled: number[] = [];
  const options = { group: 'g', claimAfter: 5, maxBackoff: 5, batch: 1 } as const;
  const consumer = one.consume('orders', options, ({ data }) => void handled.push(data));
  await until('all are handled', () => new Set(handled).size === 4);
  await until('it is forgotten', async () => (await one.lag('orders', 'g')).consumers === 1);
  await consumer.close();
});
