import { silentLogger, systemClock } from '@tierkit/core';
import { createRedis, type RedisConnection } from '@tierkit/redis';
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createLocks, type Locks } from '../src/index.ts';
import { listAll } from './conformance-listing.ts';
import type { LockRequest, Shape } from '../src/stores/lock-store.ts';
import { RedisStore } from '../src/stores/redis-store.ts';
import { until } from '../../../test/servers/index.ts';
import { sharedRedis } from '../../../test/support/shared-redis.ts';

const prefix = `t${randomBytes(6).toString('hex')}:`;
const HOUR_MS = 3_600_000;
const stores: RedisStore[] = [];
let redis: RedisConnection;
let locks: Locks;

beforeAll(async () => {
  redis = createRedis(sharedRedis());
  await redis.ready();
  locks = createLocks({ redis, prefix });
});
afterAll(async () => {
  await locks.close();
  await Promise.all(stores.map((store) => store.close()));
  await redis.close();
});

function storeOf(process: string): RedisStore {
  const store = new RedisStore(redis, { prefix, process, logger: silentLogger, clock: systemClock });
  stores.push(store);
  return store;
}

const of = (name: string, owner: string, shape: Shape = 'x', ttlMs = 30_000): LockRequest => ({
  resource: `lock:{${name}}`,
  owner,
  shape,
  ttlMs,
});

async function ttlsOf(name: string): Promise<Record<string, number>> {
  const keys = ['', ':holders', ':queue'];
  const ttls = keys.map((part) => redis.execute((client) => client.pttl(`${prefix}lock:{${name}}${part}`)));
  return Object.fromEntries((await Promise.all(ttls)).map((ttl, i) => [keys[i] ?? '', ttl]));
}

it('keeps the place of one who asks again, and its hold', async () => {
  const store = storeOf('again');
  const first = await store.take(of('again', 'again.0'), 'try');
  for (const owner of ['again.1', 'again.2', 'again.1']) await store.take(of('again', owner), 'wait');
  const { waiters } = await store.inspect('lock:{again}');
  expect(waiters.map(({ owner }) => owner)).toEqual(['again.1', 'again.2']);
  await store.release(of('again', 'again.0'), first.token ?? '');
  for (const shape of ['x', '0', '5'] as const) {
    const name = `again ${shape}`;
    const { token } = await store.take(of(name, 'again.3', shape, 1_000), 'wait');
    expect(token).toBeDefined();
    // The reply to the first was lost.
    expect(await store.take(of(name, 'again.3', shape), 'wait')).toEqual({ token });
    const [holder] = (await store.inspect(`lock:{${name}}`)).holders;
    expect(holder?.ttlMs).toBeGreaterThan(20_000);
  }
});

it('tells owners apart whose names begin alike', async () => {
  const store = storeOf('alike');
  const { token = '' } = await store.take(of('alike', 'alike.10', '0'), 'try');
  expect(await store.withdraw(of('alike', 'alike.1', '0'))).toBe(false);
  expect(await store.release(of('alike', 'alike.10', '0'), token)).toBe(true);
});

it('takes its other places from a process that did not confirm a turn to share, and from no other', async () => {
  const [deaf, next] = [storeOf('deaf'), storeOf('deaf2')];
  const first = await deaf.take(of('deaf', 'first.0'), 'try');
  const calls: string[] = [];
  for (const [store, owner, shape] of [
    [deaf, 'deaf.0', '0'],
    [deaf, 'deaf.1', 'x'],
    [next, 'deaf2.0', 'x'],
  ] as const) {
    await store.attend(of('deaf', owner, shape), () => calls.push(owner)).ready;
    await store.take(of('deaf', owner, shape), 'wait');
  }
  calls.length = 0;
  await deaf.release(of('deaf', 'first.0'), first.token ?? '');
  await until('the next has its turn', () => calls.includes('deaf2.0'));
  expect(calls).toEqual(['deaf.0', 'deaf2.0']);
  expect((await next.take(of('deaf', 'deaf2.0'), 'wait')).token).toBeDefined();
});

it('gives out tokens above the last one when the clock was put back', async () => {
  const [seconds = 0] = await redis.execute((client) => client.time());
  let last = (BigInt(seconds) + 3_600n) * 1_000_000n;
  await redis.execute((client) => client.set(`${prefix}lock:{put back}`, String(last)));
  const store = storeOf('later');
  for (const shape of ['x', '0', 'x', '3'] as const) {
    const { token = '' } = await store.take(of('put back', 'later.0', shape), 'try');
    expect(BigInt(token)).toBeGreaterThan(last);
    last = BigInt(token);
    expect(await store.release(of('put back', 'later.0', shape), token)).toBe(true);
    expect((await store.inspect('lock:{put back}')).lastToken).toBe(last);
  }
});

it('leaves no key in Redis for ever, and each for as long as it is needed', async () => {
  const store = storeOf('keys');
  const day = 86_400_000;
  const { token = '' } = await store.take(of('keys', 'keys.0'), 'try');
  // A constant, as for the longest time to live.
  const held = await ttlsOf('keys');
  expect(held['']).toBeGreaterThan(day);
  expect(held['']).toBeLessThanOrEqual(day + HOUR_MS);
  await store.take(of('keys', 'keys.1'), 'wait');
  const queued = await ttlsOf('keys');
  expect(queued['']).toBeGreaterThan(HOUR_MS);
  expect(queued[':queue']).toBeGreaterThan(60_000);
  await store.withdraw(of('keys', 'keys.1'));
  await store.release(of('keys', 'keys.0'), token);
  const released = await ttlsOf('keys');
  expect(released).toEqual({ '': expect.any(Number), ':holders': -2, ':queue': -2 });
  expect(released['']).toBeGreaterThan(HOUR_MS - 60_000);
  expect(released['']).toBeLessThanOrEqual(HOUR_MS);
  // Whoever has it for the longest time decides, in whatever order they came.
  await store.take(of('keys', 'keys.2', '0', 60_000), 'try');
  await store.take(of('keys', 'keys.3', '0', 1_000), 'try');
  const shared = await ttlsOf('keys');
  expect(shared[':holders']).toBeGreaterThan(50_000);
  expect(shared[':holders']).toBeLessThan(70_000);
  expect(shared['']).toBeGreaterThan(HOUR_MS);
});

it('lists nothing that is no lock, though it has the form of a key of tierkit', async () => {
  await redis.execute((client) => client.set(`${prefix}limit:{a}`, 'x'));
  await redis.execute((client) => client.set(`${prefix}lock:{a}:fence`, '1'));
  await redis.execute((client) => client.set(`${prefix}lock:{b}`, 'x'));
  const listed = await listAll(locks, 1_000);
  expect(listed.filter(({ foreign }) => foreign).map(({ name }) => name)).toEqual(['b']);
});

it('passes over what stands in a queue and is no waiter', async () => {
  await redis.execute((client) => client.zadd(`${prefix}lock:{none}:queue`, 1, 'garbage'));
  const lock = await locks.acquire('none', { mode: 'shared', timeout: '1s' });
  expect(await lock.release()).toBe(true);
});
