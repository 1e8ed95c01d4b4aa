import { randomBytes } from 'node:crypto';
import { durable, ephemeral } from '@tierkit/bus';
import { createTierkit, type Tierkit } from 'tierkit';
import { afterAll, beforeAll, expect, inject, it, vi } from 'vitest';
import { createRedis } from '@tierkit/redis';
import { sharedRedis } from '../../../test/support/shared-redis.ts';
import { findNames } from '../src/discovery/find-names.ts';
import { Interruption } from '../src/index.ts';
import { runHere, type HereOptions } from './run-here.ts';

// The machine may be busy.
vi.setConfig({ testTimeout: 60_000 });

const prefix = `cli-${randomBytes(6).toString('hex')}:`;
let kit: Tierkit;
beforeAll(async () => {
  kit = createTierkit({ redis: sharedRedis(), prefix });
  await kit.ready('15s');
});
afterAll(() => kit.close());

const run = (args: readonly string[], options: HereOptions = {}) =>
  runHere([...args, '--timeout', '20s'], { REDIS_URL: inject('redisUrl'), TIERKIT_PREFIX: prefix }, options);

it('discards and puts back the dead letters that are named, of the queue that is meant, once somebody has agreed', async () => {
  const bus = kit.bus({ orders: durable<number>() });
  let broken = true;
  const handled: number[] = [];
  const consumer = bus.consume('orders', { group: 'g', from: 'start', maxAttempts: 1 }, ({ data }) => {
    if (broken) throw new Error('not now');
    handled.push(data);
  });
  await consumer.ready;
  for (const order of [1, 2, 3]) await bus.publish('orders', order);
  const letters = bus.deadLetters('orders');
  await expect.poll(() => letters.list(), { timeout: 15_000 }).toHaveLength(3);
  const ids = (await letters.list()).map(({ id }) => id);
  for (const act of ['--replay', '--remove']) {
    const asked = await run(['dead-letters', 'orders', act]);
    expect([asked.code, asked.stderr]).toEqual([6, expect.stringContaining('3 dead letters of orders')]);
  }
  expect(await letters.list()).toHaveLength(3);
  broken = false;

  // A queue of the same name, which has none.
  const behind = kit.writeBehind('orders', { flush() {} });
  await kit.project('p').writeBehind('k', 1, behind);
  await behind.drain();
  const either = await run(['dead-letters', 'orders', '--remove', '--yes']);
  expect([either.code, either.stderr]).toEqual([2, expect.stringContaining('--kind')]);
  const change = (...args: string[]) =>
    run(['dead-letters', 'orders', '--kind', 'stream', '--yes', '--json', ...args]).then((said) => said.json());
  expect(await change('--remove', '--id', ids[0] ?? '')).toMatchObject({ removed: 1 });
  expect(await change('--replay', '--id', ids[1] ?? '')).toMatchObject({ replayed: 1 });
  expect((await letters.list()).map(({ id }) => id)).toEqual(ids.slice(2));
  await expect.poll(() => handled, { timeout: 15_000 }).toEqual([2]);
  expect(await change('--remove')).toMatchObject({ removed: 1 });
  expect(await letters.list()).toEqual([]);
  await consumer.close();
});

it('tells of the cache alone if that is asked for, and ends after the time that was given', async () => {
  const bus = kit.bus({ 'notes:{id}': ephemeral<string>() });
  const happen = async (): Promise<void> => {
    await bus.publish('notes:{id}', 'text', { params: { id: 7 } });
    await kit.global.delete('gone');
  };
  const onError = (text: string): void => void (text.includes('listening') && void happen());
  const told = await run(['events', '--only', 'cache', '--limit', '1', '--json'], { onError });
  expect(told.json()).toMatchObject({ event: 'change', keys: ['gone'] });
  const short = await run(['events', '--only', 'cache', '--for', '50ms']);
  expect([short.code, short.stdout]).toEqual([0, '']);
});

it.each([
  [[], ['stats', 'names', 'clear', 'operate', 'audit']],
  [['--values'], ['stats', 'names', 'clear', 'operate', 'audit', 'values']],
])('makes a token for one run of the admin %j, which may read values only if told so', async (options, rights) => {
  const controller = new AbortController();
  let url = '';
  let made = '';
  let who: unknown;
  const onError = (text: string): void => {
    made = /token for this run: (\S+)/.exec(text)?.[1] ?? made;
    if (text.includes('Ctrl-C')) void look();
  };
  const look = async (): Promise<void> => {
    try {
      const response = await fetch(`${url}api/v1/whoami`, { headers: { authorization: `Bearer ${made}` } });
      who = await response.json();
    } finally {
      controller.abort(new Interruption('SIGINT'));
    }
  };
  const onOutput = (text: string): void => void (url = text.trim());
  const said = await run(['admin', '--port', '0', ...options], { signal: controller.signal, onError, onOutput });
  expect(said.code).toBe(130);
  expect(made.length).toBeGreaterThanOrEqual(32);
  expect(who).toEqual({ name: 'admin', role: 'admin', rights });
});

it('keeps a bounded number of names, and says that there are more', async () => {
  const redis = createRedis(sharedRedis());
  await redis.ready('15s');
  for (const name of ['a', 'b', 'c', 'd']) await kit.global.set(`${name}:1`, 1);
  await kit.global.set('a:2', 1);
  const { signal } = new AbortController();
  const nameOf = (key: string): string | undefined => /([a-d]):\d$/.exec(key)?.[1];
  const search = { redis, match: `${prefix}?:?`, nameOf, signal };
  const all = await findNames({ ...search, most: 4 });
  expect([Object.fromEntries(all.names), all.more]).toEqual([{ a: 2, b: 1, c: 1, d: 1 }, false]);
  const some = await findNames({ ...search, most: 3 });
  expect([some.names.size, some.more]).toEqual([3, true]);
  await redis.close();
});
