import { randomUUID } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { silentLogger, systemClock } from '@tierkit/core';
import { afterEach, expect, inject, onTestFinished, test } from 'vitest';
import { freePort, startRedis, until } from '../../../test/servers/index.ts';
import { sleep } from '../../../test/support/sleep.ts';
import { createPubSubFeed, createRedis, type InvalidationFeed, type RedisConnection } from '../src/index.ts';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

function connect(input: Parameters<typeof createRedis>[0]): RedisConnection {
  const redis = createRedis(input);
  ends.push(() => redis.close());
  return redis;
}

function feedOn(redis: RedisConnection, options: Parameters<typeof createPubSubFeed>[1] = {}): InvalidationFeed {
  const feed = createPubSubFeed(redis, { prefix: `t${randomUUID()}:`, ...options });
  ends.push(() => feed.close());
  return feed;
}

function losses(feed: InvalidationFeed): string[] {
  const reasons: string[] = [];
  feed.listen({ onMessage() {}, onLive() {}, onLost: (reason) => reasons.push(reason) });
  return reasons;
}

test('a feed whose connection is closed under it is lost, and ends without a word', async () => {
  const redis = connect(inject('redisUrl'));
  const feed = feedOn(redis);
  const lost = losses(feed);
  await feed.ready(5_000);
  await redis.close();
  await until('the feed is lost', () => !feed.live);
  // Long enough for several attempts to connect; what they threw would fail the run as uncaught.
  await sleep(300);
  expect(lost).toHaveLength(1);
  await expect(feed.ready(5_000)).rejects.toMatchObject({ code: 'ERR_REDIS_UNAVAILABLE' });
});

test('a feed on a connection that is closed already is one that has ended', async () => {
  const redis = connect(inject('redisUrl'));
  await redis.close();
  await expect(feedOn(redis).ready(5_000)).rejects.toMatchObject({ message: 'the invalidation feed was closed' });
});

test('a feed that cannot connect for now tries again', async () => {
  const redis = connect(inject('redisUrl'));
  const { duplicate } = redis;
  let refusals = 3;
  const warnings: string[] = [];
  redis.duplicate = (...args) => {
    if (refusals-- > 0) throw new Error('not now');
    return duplicate.apply(redis, args);
  };
  const logger = { ...silentLogger, warn: (_: object, message: string) => void warnings.push(message) };
  const feed = feedOn(redis, { logger });
  await feed.ready(5_000);
  expect(feed.live).toBe(true);
  expect(warnings).toEqual(Array.from({ length: 3 }, () => 'cannot connect the invalidation feed'));
});

test('a feed on several connections stays live', async () => {
  // A server of its own: tests beside this one kill subscribers on the one that all use.
  const server = await startRedis();
  onTestFinished(() => server.stop());
  const redis = connect({ url: server.url, maxConnections: 4 });
  const feed = feedOn(redis, { feedTimeoutMs: 3_000, heartbeatMs: 40 });
  await feed.ready(5_000);
  const lost = losses(feed);
  for (let i = 0; i < 50; i++) {
    await redis.execute((client) => client.ping());
    await sleep(30);
  }
  expect(lost).toEqual([]);
  expect(feed.live).toBe(true);
});

test('the offset of the server is relative to the clock that is given', async () => {
  const aheadMs = 1e9;
  const clock = { ...systemClock, monotonic: () => performance.now() + aheadMs };
  const redis = connect(inject('redisUrl'));
  const [ours, theirs] = [feedOn(redis, { clock }), feedOn(redis)];
  await Promise.all([ours.ready(5_000), theirs.ready(5_000)]);
  const difference = (theirs.serverOffsetMs ?? Number.NaN) - (ours.serverOffsetMs ?? Number.NaN);
  expect(Math.abs(difference - aheadMs)).toBeLessThan(5_000);
});

test('a further connection that is given up while Redis is away is not kept', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const redis = connect({ port: await freePort() });
  const made: WeakRef<object>[] = [];
  for (let i = 0; i < 20; i++) {
    const client = redis.duplicate('subscriber');
    made.push(new WeakRef(client));
    client.once('close', () => client.disconnect());
  }
  const kept = (): number => made.filter((reference) => reference.deref() !== undefined).length;
  // ioredis itself may hold the last one for a while.
  await until('the clients are collected', async () => {
    await sleep(50);
    collect();
    return kept() <= 1;
  });
});
