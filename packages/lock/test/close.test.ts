import { createManualClock } from '@tierkit/core/testing';
import { createRedis, type RedisConnection } from '@tierkit/redis';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { ask, startProxy, startRedis, until, type StandaloneRedis } from '../../../test/servers/index.ts';
import { createLocks } from '../src/index.ts';
import { arrivesLate } from './safety/arrives-late.ts';

let server: StandaloneRedis;
let redis: RedisConnection;
beforeAll(async () => {
  server = await startRedis();
  redis = createRedis(server.url);
  await redis.ready();
});
afterAll(async () => {
  await redis.close();
  await server.stop();
});

it('hands out nothing that Redis gave after close, and waits for nothing', async () => {
  const [locks, observer] = [createLocks({ redis }), createLocks({ redis })];
  await locks.ready();
  const held = await observer.acquire('busy');
  const calls = [
    locks.acquire('late'),
    locks.tryAcquire('late too'),
    locks.semaphore('late', 2).acquire(),
    locks.acquire('busy'),
  ];
  const closed = locks.close();
  for (const call of calls) await expect(call).rejects.toMatchObject({ code: 'ERR_LOCK_CLOSED' });
  await closed;
  const states = [observer.inspect('late'), observer.inspect('late too'), observer.semaphore('late', 2).inspect()];
  for (const { holders } of await Promise.all(states)) expect(holders).toEqual([]);
  await held.release();
  await observer.close();
});

it('gives back what Redis gave after close over a connection of its own, and the places of those who wait', async () => {
  const [locks, observer] = [createLocks({ redis: server.url }), createLocks({ redis })];
  await locks.ready();
  const held = await observer.acquire('own line');
  const waits = [1, 2, 3].map(() => locks.acquire('own line'));
  await until('they wait', async () => (await observer.inspect('own line')).waiting === 3);
  const own = locks.acquire('own');
  const [, ...outcomes] = await Promise.allSettled([locks.close(), own, ...waits]);
  const closed = { status: 'rejected', reason: { code: 'ERR_LOCK_CLOSED' } };
  expect(outcomes).toMatchObject([closed, closed, closed, closed]);
  expect((await observer.inspect('own')).holders).toEqual([]);
  expect((await observer.inspect('own line')).waiting).toBe(0);
  await held.release();
  await observer.close();
});

it('takes back at close what it could not take back while Redis was away', async () => {
  const proxy = await startProxy({ target: { port: server.port } });
  onTestFinished(() => proxy.stop());
  // Time stands still: nothing is tried again by itself.
  const locks = createLocks({ redis: proxy.url, clock: createManualClock() });
  const observer = createLocks({ redis });
  await locks.ready();
  const held = await observer.acquire('taken back');
  const aborts = new AbortController();
  const waits = locks.acquire('taken back', { ttl: '1h', signal: aborts.signal });
  await until('it waits', async () => (await observer.inspect('taken back')).waiting === 1);
  const owner = (await observer.inspect('taken back')).waiters[0]?.owner ?? '';
  proxy.refuse();
  proxy.cut();
  await until('Redis is away', () =>
    locks.inspect('taken back').then(
      () => false,
      () => true,
    ),
  );
  aborts.abort();
  await expect(waits).rejects.toMatchObject({ code: 'ERR_LOCK_ABORTED' });
  await proxy.normal();
  await locks.ready();
  await held.release();
  await arrivesLate(server.url, { owner, resource: 'lock:{taken%20back}', shape: 'x', ttlMs: 3_600_000 });
  await locks.close();
  expect((await observer.inspect('taken back')).holders).toEqual([]);
  await observer.close();
});

it('aborts what is held, and ends when all of that was released', async () => {
  const clock = createManualClock();
  const locks = createLocks({ redis, clock });
  await locks.ready();
  const [one, two] = [await locks.acquire('one'), await locks.acquire('two')];
  const { signal } = two;
  let ended = false;
  const closing = locks.close().then(() => (ended = true));
  for (const each of [one.signal, signal]) expect(each.reason).toMatchObject({ code: 'ERR_LOCK_CLOSED' });
  expect(two.held).toBe(true);
  expect(await one.release()).toBe(true);
  await redis.execute((client) => client.ping());
  expect(ended).toBe(false);
  expect(await two.release()).toBe(true);
  await closing;
  expect(clock.pendingTimers).toBe(0);
});

it('ends half a second later at the latest, and extends nothing from then on', async () => {
  const clock = createManualClock();
  const locks = createLocks({ redis, clock });
  await locks.ready();
  await locks.acquire('kept', { ttl: '1m' });
  const closing = locks.close();
  await clock.advanceAsync(499);
  expect(clock.pendingTimers).toBeGreaterThan(0);
  await clock.advanceAsync(1);
  await closing;
  expect(clock.pendingTimers).toBe(0);
  const observer = createLocks({ redis });
  expect((await observer.inspect('kept')).holders).toHaveLength(1);
  await observer.close();
});

it('leaves a connection of others as it was, and asks nothing of it any more', async () => {
  const connections = async (): Promise<number> => String(await ask(server.port, 'CLIENT', 'LIST')).split('\n').length;
  const scripts = async (): Promise<string | undefined> =>
    /cmdstat_evalsha:calls=(\d+)/.exec(String(await ask(server.port, 'INFO', 'commandstats')))?.[1];
  const other = createLocks({ redis: server.url });
  await other.ready();
  const before = await connections();
  const locks = createLocks({ redis });
  const held = await locks.acquire('given');
  const waits = other.acquire('given');
  const own = locks.acquire('given');
  await until('they wait', async () => (await other.inspect('given')).waiting === 2);
  // The turn of somebody else, whom nobody may look after from here after close.
  await held.release();
  await Promise.all([waits, own].map(async (each) => (await each).release()));
  await locks.close();
  await other.close();
  await until('its connections have ended', async () => (await connections()) < before);
  const asked = await scripts();
  await new Promise((resolve) => setTimeout(resolve, 600));
  expect(await scripts()).toBe(asked);
  await redis.execute((client) => client.ping());
});
