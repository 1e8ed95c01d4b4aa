import { createRedis, type RedisConnection } from '@tierkit/redis';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { ask, startProxy, startRedis, until, type StandaloneRedis } from '../../../test/servers/index.ts';
import { sleep } from '../../../test/support/sleep.ts';
import { createLocks, type Locks } from '../src/index.ts';

let server: StandaloneRedis;
let redis: RedisConnection;
let locks: Locks;
beforeAll(async () => {
  server = await startRedis();
  redis = createRedis({ url: server.url, commandTimeout: '10s' });
  locks = createLocks({ redis });
  await locks.ready();
});
afterAll(async () => {
  await locks.close();
  await redis.close();
  await server.stop();
});

it('hands out nothing that has run out by the time its reply is read', async () => {
  const observer = createLocks({ redis: server.url });
  await observer.ready();
  // The scripts are known, and there is a subscription.
  const first = await observer.acquire('slow', { ttl: 400, renew: false });
  const waits = locks.acquire('slow', { ttl: 150 });
  await until('it waits', async () => (await observer.inspect('slow')).waiting === 1);
  server.process.signal('SIGSTOP');
  const tried = locks.tryAcquire('slow to try', { ttl: 150 }).catch((error: unknown) => error);
  const taken = locks.acquire('slow to take', { ttl: 150 });
  // The waiter asks again meanwhile, when the first has run out.
  await sleep(700);
  server.process.signal('SIGCONT');
  expect(await tried).toMatchObject({ code: 'ERR_LOCK_TIMEOUT' });
  for (const call of [taken, waits]) {
    const lock = await call;
    expect(lock.held).toBe(true);
    await lock.release();
  }
  expect(await first.release()).toBe(false);
  await observer.close();
});

it('ends a wait by its signal while the first request is under way', async () => {
  const held = await locks.acquire('aborted');
  const aborts = new AbortController();
  const call = locks.acquire('aborted', { signal: aborts.signal });
  aborts.abort();
  await expect(call).rejects.toMatchObject({ code: 'ERR_LOCK_ABORTED' });
  await until('nobody waits', async () => (await locks.inspect('aborted')).waiting === 0);
  await held.release();
});

it('asks a server at once to which it has just begun to connect, and waits a second for one that says nothing', async () => {
  const calls: ((fresh: Locks) => Promise<unknown>)[] = [
    (fresh) => fresh.request('fresh', ({ held }) => held),
    (fresh) => fresh.tryAcquire('fresh').then((lock) => lock?.release()),
    (fresh) => fresh.inspect('fresh'),
    (fresh) => fresh.list(),
    (fresh) => fresh.forceRelease('fresh'),
  ];
  for (const call of calls) {
    const fresh = createLocks({ redis: server.url });
    await call(fresh);
    await fresh.close();
  }
  const proxy = await startProxy({ target: { port: server.port } });
  onTestFinished(() => proxy.stop());
  proxy.hold();
  const mute = createLocks({ redis: proxy.url });
  const control = sleep(4_000, 'too late');
  const told = mute.acquire('mute', { timeout: '30s' }).catch((error: unknown) => error);
  expect(await Promise.race([told, control])).toMatchObject({ code: 'ERR_LOCK_UNAVAILABLE' });
  await mute.close();
});

it('looks for itself, where it cannot be woken', async () => {
  await ask(server.port, 'ACL', 'SETUSER', 'deaf', 'on', '>deaf', '~*', '+@all', '-subscribe', '-ssubscribe');
  const deaf = createLocks({ redis: server.url.replace('redis://', 'redis://deaf:deaf@') });
  await deaf.ready();
  const held = await locks.acquire('unheard');
  const waits = deaf.acquire('unheard');
  await until('it waits', async () => (await locks.inspect('unheard')).waiting === 1);
  await held.release();
  const lock = await waits;
  expect(await lock.release()).toBe(true);
  await deaf.close();
});

it('goes on waiting while Redis is away, once it has been told that the lock is busy', async () => {
  const proxy = await startProxy({ target: { port: server.port } });
  const away = createLocks({ redis: proxy.url });
  onTestFinished(async () => {
    await away.close();
    await proxy.stop();
  });
  await away.ready();
  const held = await locks.acquire('gone');
  // Whoever comes after somebody who had to wait lines up at once.
  await expect(away.acquire('gone', { timeout: 50 })).rejects.toMatchObject({ code: 'ERR_LOCK_TIMEOUT' });
  const waits = away.acquire('gone', { timeout: '1m' });
  // Replies come in the order of the requests: the waiter has had its own.
  await until('it waits', async () => (await away.inspect('gone')).waiting === 1);
  proxy.refuse();
  proxy.cut();
  // It asks again as it is told that it may have missed something, and cannot.
  await until('Redis is away', () =>
    away.inspect('gone').then(
      () => false,
      () => true,
    ),
  );
  await expect(away.acquire('gone')).rejects.toMatchObject({ code: 'ERR_LOCK_UNAVAILABLE' });
  await proxy.normal();
  await held.release();
  expect(await (await waits).release()).toBe(true);
});
