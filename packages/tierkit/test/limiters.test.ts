import { randomBytes } from 'node:crypto';
import { expect, it, onTestFinished } from 'vitest';
import { fixedWindow, slidingWindow } from '@tierkit/rate-limit';
import { createRedis, type RedisConnection } from '@tierkit/redis';
import { createTierkit, type Tierkit, type TierkitOptions } from '../src/index.ts';
import { freePort } from '../../../test/servers/index.ts';
import { sharedRedis } from '../../../test/support/shared-redis.ts';

const prefix = (): string => `kit-${randomBytes(6).toString('hex')}:`;

function open(options: Partial<TierkitOptions>): Tierkit {
  const kit = createTierkit({ redis: sharedRedis(), ...options });
  onTestFinished(() => kit.close());
  return kit;
}

async function connect(): Promise<RedisConnection> {
  const redis = createRedis(sharedRedis());
  onTestFinished(() => redis.close());
  await redis.ready();
  return redis;
}

const minute = [slidingWindow({ limit: 2, per: '1m', name: 'minute' })] as const;

it('kits of one prefix count together, under it, on their Redis', async () => {
  const name = prefix();
  const [one, two] = [open({ prefix: name }), open({ prefix: name })];
  const [here, there] = [one.rateLimit('api', minute), two.rateLimit('api', minute)];
  await Promise.all([here.ready(), there.ready()]);
  expect(one.limiters().map((limiter) => limiter.name)).toEqual(['api']);
  await here.consume('ann');
  expect(await there.consume('ann')).toMatchObject({ allowed: true, remaining: 0, source: 'redis' });
  expect(await here.consume('ann')).toMatchObject({ allowed: false });
  const redis = await connect();
  expect(await redis.execute((client) => client.keys(`${name}limit:*`))).toHaveLength(1);
});

it('limiters of a kit share one subscriber, that hears of a reset on another', async () => {
  const name = prefix();
  const [one, two] = [open({ prefix: name }), open({ prefix: name })];
  const limiters = [one.rateLimit('a', minute), one.rateLimit('b', minute, { plans: { pro: { minute: 9 } } })];
  const elsewhere = two.rateLimit('a', minute);
  await Promise.all([...limiters, elsewhere].map((limiter) => limiter.ready()));
  for (const limiter of limiters) {
    await limiter.consume('ann', { cost: 2 });
    await expect.poll(async () => (await limiter.consume('ann')).source).toBe('shield');
  }
  const redis = await connect();
  const beats = (await redis.execute((client) => client.pubsub('CHANNELS', `${name}*beat*`))) as string[];
  // One of the cache of each kit, one that the limiters of the first share.
  expect(beats.length).toBeLessThanOrEqual(3);
  await elsewhere.reset('ann');
  await expect.poll(async () => (await limiters[0]?.consume('ann'))?.source).toBe('redis');
});

it('a guard counts for all kits', async () => {
  const name = prefix();
  const rule = { failures: 2, within: '1m', blocks: ['1m'] };
  const [here, there] = [open({ prefix: name }), open({ prefix: name })].map((kit) =>
    kit.guard('login', { account: rule }),
  );
  await expect.poll(async () => (await here?.check({ account: 'ann' }))?.source).toBe('redis');
  await expect.poll(async () => (await there?.check({ account: 'ann' }))?.source).toBe('redis');
  await here?.failed({ account: 'ann' });
  expect(await there?.failed({ account: 'ann' })).toMatchObject({ allowed: false, blocked: 'account' });
});

it.each(['memory', 'null'])('a kit on %s counts in this process', async (redis) => {
  const limiter = open({ redis }).rateLimit('api', minute);
  await limiter.ready();
  await limiter.consume('ann', { cost: 2 });
  expect(await limiter.consume('ann')).toMatchObject({ allowed: false, source: 'memory' });
});

it('with Redis away a limiter answers as it was told to, and close ends it with the kit', async () => {
  const kit = open({ redis: `redis://127.0.0.1:${await freePort()}` });
  const limiter = kit.rateLimit('api', [fixedWindow({ limit: 1, per: '1m' })], { onUnavailable: 'memory' });
  expect(await limiter.consume('ann')).toMatchObject({ allowed: true, source: 'fallback' });
  expect(await limiter.consume('ann')).toMatchObject({ allowed: false, source: 'fallback' });
  await kit.close();
  await expect(limiter.consume('ann')).rejects.toMatchObject({ code: 'ERR_LIMIT_CLOSED' });
});
