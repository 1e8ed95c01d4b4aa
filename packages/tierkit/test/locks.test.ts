import { randomBytes } from 'node:crypto';
import { expect, inject, it, onTestFinished } from 'vitest';
import { createRedis } from '@tierkit/redis';
import { sharedRedis } from '../../../test/support/shared-redis.ts';
import { createTierkit, type Tierkit, type TierkitOptions } from '../src/index.ts';

const prefix = (): string => `kit-${randomBytes(6).toString('hex')}:`;

function open(options: Partial<TierkitOptions>): Tierkit {
  const kit = createTierkit({ redis: sharedRedis(), ...options });
  onTestFinished(() => kit.close());
  return kit;
}

async function exists(url: string, key: string): Promise<boolean> {
  const redis = createRedis(url);
  onTestFinished(() => redis.close());
  await redis.ready();
  return (await redis.execute((client) => client.exists(key))) === 1;
}

it('locks across kits on one Redis, under their prefix, and says who holds', async () => {
  const name = prefix();
  const [one, two] = [open({ prefix: name, locks: { instance: 'one' } }), open({ prefix: name })];
  const lock = await one.locks.acquire('analysis:p1');
  expect(await two.locks.tryAcquire('analysis:p1')).toBeUndefined();
  expect((await two.locks.inspect('analysis:p1')).holders[0]?.owner).toMatch(/^one-/);
  expect(await exists(inject('redisUrl'), `${name}lock:{analysis:p1}`)).toBe(true);
  const other = open({ prefix: prefix() });
  expect(await (await other.locks.tryAcquire('analysis:p1'))?.release()).toBe(true);
  await lock.release();
  expect(await two.locks.request('analysis:p1', ({ held }) => held)).toBe(true);
});

it('locks on durableRedis where there is one, and no clear of the cache touches them', async () => {
  const name = prefix();
  const url = `${inject('redisUrl')}/1`;
  const kit = open({ prefix: name, durableRedis: url });
  const lock = await kit.locks.acquire('a');
  expect(await exists(inject('redisUrl'), `${name}lock:{a}`)).toBe(false);
  expect(await exists(url, `${name}lock:{a}`)).toBe(true);
  const both = open({ prefix: name, redis: url });
  await both.ready();
  await both.global.deleteByPattern('*');
  await both.global.clear();
  expect(await both.locks.tryAcquire('a')).toBeUndefined();
  await lock.release();
});

it('ends with the kit, locks in memory where the kit is, and nowhere where it keeps nothing', async () => {
  const memory = open({ redis: 'memory', locks: { timeout: '1m' } });
  const lock = await memory.locks.acquire('a');
  const waits = memory.locks.acquire('a');
  const closed = memory.close();
  await expect(waits).rejects.toMatchObject({ code: 'ERR_LOCK_CLOSED' });
  expect(lock.signal.reason).toMatchObject({ code: 'ERR_LOCK_CLOSED' });
  await lock.release();
  await closed;
  const refused = expect.objectContaining({ code: 'ERR_TIERKIT_OPTIONS' });
  expect(() => open({ redis: 'null' }).locks).toThrow(refused);
  expect(() => open({ locks: { ttl: 0 } }).locks).toThrow(expect.objectContaining({ code: 'ERR_DURATION_INVALID' }));
});
