import { silentLogger } from '@tierkit/core';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startRedis, until, type StandaloneRedis } from '../../../test/servers/index.ts';
import { durable, type Gap } from '../src/index.ts';
import { taken, world } from './world.ts';

const channels = { orders: durable<number>(), 'jobs:{id}': durable<string>() };
let server: StandaloneRedis;
let admin: Redis;
const { bus, prefix } = world(() => server.url);
const streamKey = (): string => `${prefix()}bus:{orders}`;

beforeAll(async () => {
  server = await startRedis(['--appendonly', 'yes']);
  // It is restarted here.
  admin = new Redis(server.url).on('error', () => undefined);
});
afterAll(async () => {
  admin.disconnect();
  await server.stop();
});

test.each([
  ['the group is destroyed', () => admin.xgroup('DESTROY', streamKey(), 'g')],
  ['the stream is deleted', () => admin.del(streamKey())],
  ['everything is flushed', () => admin.flushall()],
])('%s: a group goes on with all that is published after', async (_, destroy) => {
  const one = await bus(channels);
  const handled: number[] = [];
  const consumer = one.consume('orders', { group: 'g' }, ({ data }) => void handled.push(data));
  const gaps: Gap[] = [];
  const events = one.subscribe('orders', { onGap: (gap) => gaps.push(gap) });
  await Promise.all([consumer.ready, events.ready]);
  for (let n = 0; n < 5; n++) await one.publish('orders', n);
  await until('it is handled', () => handled.length === 5);
  expect(await taken(events, 5)).toEqual([0, 1, 2, 3, 4]);
  await destroy();
  // Acknowledged by Redis before anybody has noticed.
  for (let n = 5; n < 30; n++) await one.publish('orders', n);
  await until('all is handled', () => new Set(handled).size === 30);
  expect(handled).toEqual(Array.from({ length: 30 }, (__, n) => n));
  expect(await taken(events, 25)).toEqual(handled.slice(5));
  expect(gaps.every(({ reason }) => reason === 'trimmed')).toBe(true);
});

test('a key of another type is an error for publishers, and ends no consumer or subscriber', async () => {
  const one = await bus(channels, { readyTimeout: 200 });
  await admin.set(streamKey(), 'something else');
  const warnings: object[] = [];
  const two = await bus(channels, {
    readyTimeout: 200,
    logger: { ...silentLogger, warn: (what) => warnings.push(what) },
  });
  const handled: number[] = [];
  const consumer = two.consume('orders', { group: 'g' }, ({ data }) => void handled.push(data));
  const events = two.subscribe('orders');
  await expect(one.publish('orders', 1)).rejects.toMatchObject({
    code: 'ERR_REDIS_REPLY',
    details: { reply: 'WRONGTYPE' },
  });
  await expect(one.lag('orders', 'g')).rejects.toMatchObject({ code: 'ERR_REDIS_REPLY' });
  await expect(consumer.ready).rejects.toMatchObject({ code: 'ERR_BUS_TIMEOUT' });
  expect(warnings.length).toBeGreaterThan(0);
  await admin.del(streamKey());
  await until('they go on', async () => {
    await one.publish('orders', 2);
    return handled.length > 0 && events.queued > 0;
  });
});

test('an event that could not be kept is none that is missed', async () => {
  const one = await bus(channels);
  const gaps: Gap[] = [];
  const events = one.subscribe('orders', { onGap: (gap) => gaps.push(gap) });
  await events.ready;
  await one.publish('orders', 1);
  expect(await taken(events, 1)).toEqual([1]);
  await admin.rename(streamKey(), `${streamKey()}aside`);
  await admin.set(streamKey(), 'something else');
  await expect(one.publish('orders', 2)).rejects.toMatchObject({ code: 'ERR_REDIS_REPLY' });
  await admin.rename(`${streamKey()}aside`, streamKey());
  await one.publish('orders', 3);
  expect(await taken(events, 1)).toEqual([3]);
  expect(gaps).toEqual([]);
});

test('entries that others add reach nobody, and are no gap', async () => {
  const one = await bus(channels);
  const gaps: Gap[] = [];
  const handled: number[] = [];
  const events = one.subscribe('orders', { onGap: (gap) => gaps.push(gap) });
  const consumer = one.consume('orders', { group: 'g' }, ({ data }) => void handled.push(data));
  await Promise.all([events.ready, consumer.ready]);
  await one.publish('orders', 1);
  const foreign = [
    ['', ''],
    ['0', 'x'],
    ['-1', ''],
    ['1.5', '{}'],
    ['9007199254740993', '{}'],
    ['m', '\0'],
    ['a', 'b', 's', 'c', 'g', ''],
    ['x', '{}', 's', 'orders'],
  ];
  for (const fields of foreign) await admin.xadd(streamKey(), '*', ...fields);
  await one.publish('orders', 2);
  expect(await taken(events, 2)).toEqual([1, 2]);
  await until('the group is through', () => handled.length === 2);
  expect(gaps).toEqual([]);
  await until('the others are kept', async () => (await one.lag('orders', 'g')).deadLetters > 0);
  const letters = await one.deadLetters('orders').list();
  expect(letters.every(({ event }) => event === undefined)).toBe(true);
  expect(await one.deadLetters('orders').remove()).toBe(letters.length);
});

test('what was read and not acknowledged when Redis went down is handled once it is back', async () => {
  const one = await bus(channels);
  const handled: number[] = [];
  let down = Promise.resolve();
  // Nobody takes anything over: what was finished is said again.
  const options = { group: 'g', claimAfter: '10m', batch: 10 } as const;
  const consumer = one.consume('orders', options, async ({ data }) => {
    // The last one, so that nothing else is to be said once Redis is back.
    if (data === 11) await server.process.end();
    if (data === 3) {
      down = server.process.end().then(() => server.process.start());
      await down;
    }
    handled.push(data);
  });
  await consumer.ready;
  for (let n = 0; n < 10; n++) await one.publish('orders', n).catch(() => undefined);
  await until('it went down', () => handled.includes(3));
  await down;
  await until('it can be published to', () =>
    one.publish('orders', 10).then(
      () => true,
      () => false,
    ),
  );
  await until('all are handled', () => new Set(handled).size >= 5 && handled.includes(10));
  const nothingIsLeft = async (): Promise<boolean> => {
    const { waiting, pending, deadLetters } = await one.lag('orders', 'g');
    return waiting === 0 && pending === 0 && deadLetters === 0;
  };
  await until('nothing is left', nothingIsLeft);
  // Whoever handles it ends the server, which may be sooner than this is answered.
  await one.publish('orders', 11).catch(() => undefined);
  await until('it is finished', () => handled.includes(11));
  await server.process.start();
  await until('and said so', nothingIsLeft);
});

test('what a consumer took over is counted as tried when it begins', async () => {
  const one = await bus(channels);
  await one.consume('orders', { group: 'g' }, () => undefined).close();
  for (let n = 0; n < 3; n++) await one.publish('orders', n);
  await admin.xreadgroup('GROUP', 'g', 'dead', 'STREAMS', streamKey(), '>');
  let began: number | undefined;
  const options = { group: 'g', claimAfter: 100, maxBackoff: 100, drainTimeout: 1 } as const;
  one.consume('orders', options, (_, { attempt }) => {
    began = attempt;
    return new Promise(() => undefined);
  });
  await until('it has begun with the first', () => began !== undefined);
  expect(began).toBe(2);
  // If the process dies of it now, the others have not been tried once more for that.
  const pending = (await admin.xpending(streamKey(), 'g', '-', '+', 10)) as [string, string, number, number][];
  expect(pending.map(([, , , times]) => times)).toEqual([2, 1, 1]);
});
