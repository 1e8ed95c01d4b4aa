import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { silentLogger } from '@tierkit/core';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { bundle } from '../../../test/support/bundle.ts';
import { startRedis, until, type StandaloneRedis } from '../../../test/servers/index.ts';
import { durable, ephemeral, type Gap } from '../src/index.ts';
import { taken, world } from './world.ts';

const channels = { news: ephemeral<string>(), 'user:{id}': ephemeral<string>(), orders: durable<number>() };
let server: StandaloneRedis;
let admin: Redis;
const { bus, prefix } = world(() => server.url);

beforeAll(async () => {
  server = await startRedis();
  admin = new Redis(server.url);
});
afterAll(async () => {
  admin.disconnect();
  await server.stop();
});

test('a reconnect is told as a gap, in its place among the events', async () => {
  const one = await bus(channels);
  const log: unknown[] = [];
  const onGap = (gap: Gap): void => void log.push(gap);
  const off = one.on(['news', 'user:{id}'], ({ data }) => void log.push(data), { onGap });
  await off.ready;
  await one.publish('news', 'before');
  await until('it arrives', () => log.length === 1);
  await admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
  await until('the gap is told', () => log.length === 2);
  await one.publish('news', 'after');
  await until('it goes on', () => log.length === 3);
  expect(log).toEqual(['before', { reason: 'connection', missed: undefined }, 'after']);
});

test('databases of one server hear nothing of each other', async () => {
  const [here, there] = [await bus(channels), await bus(channels, { redis: `${server.url}/1` })];
  const heard = [here, there].map((one) => one.subscribe(['news', 'user:{id}']));
  await Promise.all(heard.map(({ ready }) => ready));
  for (const [i, one] of [there, here].entries()) await one.publish('news', `from ${i}`);
  expect(await Promise.all(heard.map((one) => taken(one, 1)))).toEqual([['from 1'], ['from 0']]);
});

test('a durable channel loses nothing to killed connections', async () => {
  const [one, two] = [await bus(channels), await bus(channels)];
  const events = two.subscribe('orders', { onGap: (gap) => expect(gap).toBeUndefined() });
  const handled: number[] = [];
  const consumer = two.consume('orders', { group: 'g', claimAfter: 200 }, ({ data }) => void handled.push(data));
  await Promise.all([events.ready, consumer.ready]);
  for (let n = 0; n < 200; n++) {
    if (n % 40 === 20) await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await until('it is published', () =>
      one.publish('orders', n).then(
        () => true,
        () => false,
      ),
    );
  }
  const followed = new Set(await taken(events, 200));
  // A publish whose answer was lost may have been repeated by this test, and is an event of its own.
  expect(followed.size).toBeGreaterThan(190);
  await until('all are handled', () => new Set(handled).size === 200);
});

test('what a consumer had that was killed goes to another, at least once', async () => {
  const one = await bus(channels);
  const program = await bundle(fileURLToPath(new URL('children/consumer.ts', import.meta.url)));
  onTestFinished(() => program.remove());
  const child = fork(program.file, [server.url, prefix()]);
  await once(child, 'message');
  for (let n = 0; n < 20; n++) await one.publish('orders', n);
  const [begun] = (await once(child, 'message')) as [number];
  child.kill('SIGKILL');
  await once(child, 'exit');
  const handled: { n: number; attempt: number }[] = [];
  const options = { group: 'g', claimAfter: 300, maxBackoff: 300 } as const;
  one.consume('orders', options, ({ data }, { attempt }) => void handled.push({ n: data, attempt }));
  await until('all are handled', () => new Set(handled.map(({ n }) => n)).size === 20);
  expect(begun).toBe(0);
  expect(handled.find(({ n }) => n === 0)).toEqual({ n: 0, attempt: 2 });
  await until('nothing is left', async () => (await one.lag('orders', 'g')).pending === 0);
});

test('an event that kills its consumers becomes a dead letter', async () => {
  const one = await bus(channels);
  const options = { group: 'g', maxAttempts: 2, claimAfter: 100, maxBackoff: 100 } as const;
  // Handed out twice without a word since, as to consumers that died of it.
  await one.consume('orders', options, () => undefined).close();
  await one.publish('orders', 13);
  const stream = `${prefix()}bus:{orders}`;
  await admin.xreadgroup('GROUP', 'g', 'first', 'STREAMS', stream, '>');
  await admin.xautoclaim(stream, 'g', 'second', 0, '0');
  const handled: number[] = [];
  one.consume('orders', options, ({ data }) => void handled.push(data));
  await until('it is given up', async () => (await one.lag('orders', 'g')).deadLetters === 1);
  expect(handled).toEqual([]);
  const [letter] = await one.deadLetters('orders').list();
  expect(letter).toMatchObject({ attempts: 2, reason: 'no consumer survived it', event: { data: 13 } });
});

test('dead letters are bounded, however many there were', async () => {
  const one = await bus(channels);
  const stuff = "for i = 1, 10500 do redis.call('XADD', KEYS[1], '*', 'm', 'x', 'g', 'g') end";
  await admin.eval(stuff, 1, `${prefix()}bus:{orders}dead`);
  const consumer = one.consume('orders', { group: 'g', maxAttempts: 1 }, () => Promise.reject(new Error('never')));
  await consumer.ready;
  await one.publish('orders', 1);
  // Up to a node of the stream, of a hundred entries, may be kept beyond the bound.
  await until('the oldest are gone', async () => (await one.lag('orders', 'g')).deadLetters <= 10_100);
});

test('entries that were trimmed while a consumer had them are counted as lost', async () => {
  const one = await bus(channels);
  await one.consume('orders', { group: 'g' }, () => undefined).close();
  for (let n = 0; n < 3; n++) await one.publish('orders', n);
  const stream = `${prefix()}bus:{orders}`;
  await admin.xreadgroup('GROUP', 'g', 'gone', 'STREAMS', stream, '>');
  await admin.xtrim(stream, 'MAXLEN', 1);
  const handled: number[] = [];
  one.consume('orders', { group: 'g', claimAfter: 50, maxBackoff: 50 }, ({ data }) => void handled.push(data));
  await until('it is told', async () => (await one.lag('orders', 'g')).lost === 2);
  await until('the rest is handled', () => handled.length === 1);
  expect(handled).toEqual([2]);
});

test('bytes that are no event are dropped and counted, and the next event arrives', async () => {
  const warnings: string[] = [];
  const logger = { ...silentLogger, warn: (_: object, message: string) => void warnings.push(message) };
  const one = await bus(channels, { maxPayloadBytes: 10_000, logger });
  const events = one.subscribe(['news', 'user:{id}']);
  const kept = one.subscribe('orders');
  const handled: number[] = [];
  const consumer = one.consume('orders', { group: 'g' }, ({ data }) => void handled.push(data));
  await Promise.all([events.ready, kept.ready, consumer.ready]);
  const envelope = { id: 'a', time: 1, source: 's', data: 1 };
  const hostile = [
    '',
    'x',
    '{',
    'null',
    '[]',
    '5',
    '{}',
    '['.repeat(9_000),
    Buffer.from([0, 255, 254, 128]),
    Buffer.alloc(20_000, 0x7b),
    ...(['id', 'time', 'source', 'data'] as const).map((key) => JSON.stringify({ ...envelope, [key]: undefined })),
    JSON.stringify({ ...envelope, id: {} }),
    JSON.stringify({ ...envelope, id: 'x'.repeat(2_000) }),
    JSON.stringify({ ...envelope, time: '1' }),
    JSON.stringify({ ...envelope, traceparent: 5 }),
  ];
  const stream = `${prefix()}bus:{orders}`;
  const news = `${prefix()}bus:0:news`;
  for (const bytes of hostile) {
    await admin.publish(news, bytes);
    await admin.xadd(stream, '*', 'm', bytes);
  }
  // Names that no parameter can have, and entries without a message.
  for (const name of ['user:', 'user:a%2', 'user:a%ff', 'user:%61', 'user:a b']) {
    await admin.publish(`${prefix()}bus:0:${name}`, JSON.stringify(envelope));
  }
  await admin.xadd(stream, '*', 'other', 'x');
  await one.publish('user:{id}', 'still here', { params: { id: 'a%2' } });
  await one.publish('orders', 7);
  expect((await events.next()).value).toMatchObject({ data: 'still here', params: { id: 'a%2' } });
  expect(await taken(kept, 1)).toEqual([7]);
  await until('the group is through', () => handled.length === 1);
  await until('the rest is kept', async () => (await one.lag('orders', 'g')).deadLetters === hostile.length + 1);
  // What no parameter can be is refused before it is read.
  expect(one.stats().invalid).toBeGreaterThanOrEqual(3 * hostile.length + 2);
  expect(warnings).toContain('a message is dropped');
});

test('without Redis, ephemeral events are counted as dropped and durable ones rejected; subscribers come back', async () => {
  const own = await startRedis();
  try {
    const one = await bus(channels, { redis: own.url, readyTimeout: 3_000 });
    const gaps: Gap[] = [];
    const events = one.on('news', () => undefined, { onGap: (gap) => gaps.push(gap) });
    const handled: number[] = [];
    const consumer = one.consume('orders', { group: 'g' }, ({ data }) => void handled.push(data));
    await Promise.all([events.ready, consumer.ready]);
    await own.process.end();
    await until('the loss is noticed', async () => !(await one.publish('news', 'x')).sent);
    await expect(one.publish('orders', 1)).rejects.toMatchObject({ code: 'ERR_REDIS_UNAVAILABLE' });
    expect(one.stats().dropped).toBeGreaterThan(0);
    await expect(one.subscribe('user:1').ready).rejects.toMatchObject({ code: 'ERR_BUS_TIMEOUT' });
    await own.process.start();
    await until('it is sent again', async () => (await one.publish('news', 'probe')).sent && gaps.length > 0);
    await until('the group goes on, though its stream is gone', async () => {
      await one.publish('orders', 2).catch(() => undefined);
      return handled.includes(2);
    });
    expect(gaps).toEqual([{ reason: 'connection', missed: undefined }]);
  } finally {
    await own.stop();
  }
});

test.each(['down', 'frozen'] as const)('closing is bounded while Redis is %s, whatever is open', async (state) => {
  const own = await startRedis();
  try {
    const one = await bus(channels, { redis: own.url });
    const subscription = one.subscribe(['news', 'user:{id}', 'orders']);
    const options = { group: 'g', drainTimeout: 100 } as const;
    const consumer = one.consume('orders', options, () => new Promise(() => undefined));
    await Promise.all([subscription.ready, consumer.ready]);
    await one.publish('orders', 1);
    await until('it is at work', async () => (await one.lag('orders', 'g')).pending === 1);
    if (state === 'down') await own.process.end();
    else own.process.signal('SIGSTOP');
    const late = one.consume('orders', { group: 'late' }, () => undefined);
    const waiting = subscription.next().then(() => subscription.next());
    const publishing = one.publish('orders', 2).catch((error: { code?: string }) => error.code);
    const began = performance.now();
    await one.close();
    // A few commands that are given up, and the handler that is; a busy machine may take some times as long.
    expect(performance.now() - began).toBeLessThan(8_000);
    expect(await waiting).toEqual({ value: undefined, done: true });
    expect(await publishing).toMatch(/^ERR_REDIS_/);
    await expect(late.ready).rejects.toMatchObject({ code: 'ERR_BUS_CLOSED' });
    if (state === 'frozen') own.process.signal('SIGCONT');
  } finally {
    await own.stop();
  }
});
