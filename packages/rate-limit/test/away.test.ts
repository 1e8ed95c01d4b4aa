import { createRedis } from '@tierkit/redis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { freePort, startRedis, until, type StandaloneRedis } from '../../../test/servers/index.ts';
import { createLimiter, slidingWindow, type Limiter, type LimiterOptions } from '../src/index.ts';

let server: StandaloneRedis;
beforeAll(async () => void (server = await startRedis()));
afterAll(() => server.stop());

const make = (options: Partial<LimiterOptions>): Limiter =>
  createLimiter('away', [slidingWindow({ limit: 2, per: '1h' })], { redis: server.url, ...options });

it('with Redis frozen each call ends within the timeout, as onUnavailable says, and Redis counts again afterwards', async () => {
  const redis = { url: server.url, commandTimeout: '8s', socketTimeout: '8s' };
  const limiters = {
    open: make({ redis, onUnavailable: 'open', timeout: 120, prefix: 'open:' }),
    closed: make({ redis, onUnavailable: 'closed', timeout: 120, prefix: 'closed:' }),
    memory: make({ redis, onUnavailable: 'memory', timeout: 120, prefix: 'memory:' }),
  };
  const all = Object.values(limiters);
  try {
    await Promise.all(all.map((limiter) => limiter.ready()));
    for (const limiter of all) expect(await limiter.consume('ann')).toMatchObject({ source: 'redis', remaining: 1 });
    server.process.signal('SIGSTOP');
    const fromMs = performance.now();
    const [open, closed, memory] = await Promise.all(all.map((limiter) => limiter.consume('ann')));
    expect(performance.now() - fromMs).toBeGreaterThan(100);
    // Without a timeout of the limiter it would be the connection's.
    expect(performance.now() - fromMs).toBeLessThan(3_000);
    expect(open).toMatchObject({ allowed: true, source: 'open', remaining: Infinity, policies: [] });
    expect(closed).toMatchObject({ allowed: false, source: 'closed', retryAfterMs: 1_000 });
    expect(memory).toMatchObject({ allowed: true, source: 'fallback', remaining: 1 });
    await limiters.memory.consume('ann');
    expect(await limiters.memory.consume('ann')).toMatchObject({ allowed: false, source: 'fallback' });
    for (const limiter of all) {
      await expect(limiter.refund('ann')).rejects.toMatchObject({ code: 'ERR_LIMIT_UNAVAILABLE' });
      await expect(limiter.block('ann', '1s')).rejects.toMatchObject({ code: 'ERR_LIMIT_UNAVAILABLE' });
      await expect(limiter.reset('ann')).rejects.toMatchObject({ code: 'ERR_LIMIT_UNAVAILABLE' });
    }
  } finally {
    server.process.signal('SIGCONT');
  }
  for (const limiter of all) {
    await until('Redis decides', async () => (await limiter.peek('ann')).source === 'redis');
    await limiter.close();
  }
});

it('a Redis that answers now and then does not give the whole limit each time', async () => {
  const redis = { url: server.url, commandTimeout: '8s', socketTimeout: '8s' };
  const limiter = make({ redis, onUnavailable: 'memory', timeout: 50, prefix: 'flapping:', shield: false });
  await limiter.ready();
  const admitted: boolean[] = [];
  try {
    for (let outage = 0; outage < 3; outage++) {
      server.process.signal('SIGSTOP');
      for (let i = 0; i < 3; i++) {
        const { source, allowed } = await limiter.consume('ann');
        if (source === 'fallback') admitted.push(allowed);
      }
      server.process.signal('SIGCONT');
      await until('Redis decides', async () => (await limiter.peek('ann')).source === 'redis');
      await limiter.refund('ann', { cost: 2 });
    }
  } finally {
    server.process.signal('SIGCONT');
    await limiter.close();
  }
  expect(admitted).toEqual([true, true, ...Array<boolean>(7).fill(false)]);
});

it('with no Redis at all calls are answered at once, and bad ones are refused as ever', async () => {
  const redis = createRedis({ host: '127.0.0.1', port: await freePort() });
  const limiter = make({ redis, onUnavailable: 'closed' });
  expect(await limiter.consume('ann')).toMatchObject({ allowed: false, source: 'closed' });
  expect(await limiter.peek('ann')).toMatchObject({ allowed: false, source: 'closed' });
  await expect(limiter.consume('ann', { cost: 0 })).rejects.toMatchObject({ code: 'ERR_LIMIT_ARGUMENT' });
  await expect(limiter.ready(50)).rejects.toMatchObject({ code: 'ERR_REDIS_UNAVAILABLE' });
  await limiter.close();
  await redis.close();
});

it('what Redis refuses counts as no answer, and is not taken for a limit', async () => {
  const redis = createRedis(server.url);
  await redis.ready();
  await redis.execute((client) => client.call('CONFIG', 'SET', 'maxmemory', '1'));
  const limiter = make({ redis, prefix: 'full:' });
  expect(await limiter.consume('ann')).toMatchObject({ allowed: true, source: 'open' });
  await redis.execute((client) => client.call('CONFIG', 'SET', 'maxmemory', '0'));
  expect(await limiter.consume('ann')).toMatchObject({ allowed: true, source: 'redis' });
  await limiter.close();
  await redis.close();
});

it.each(['open', 'closed', 'memory'] as const)(
  'a closed limiter refuses every call with its code, whatever it would answer without Redis (%s), also what is under way',
  async (onUnavailable) => {
    const shared = createRedis(server.url);
    await shared.ready();
    for (const redis of [shared, { url: server.url, commandTimeout: '5s' }, 'redis://127.0.0.1:1', 'memory']) {
      const limiter = make({ redis, onUnavailable, prefix: `${onUnavailable}:` });
      if (redis !== 'redis://127.0.0.1:1') await limiter.ready();
      await limiter.close();
      const calls = [
        () => limiter.consume('ann'),
        () => limiter.peek('ann'),
        () => limiter.wait('ann'),
        () => limiter.refund('ann'),
        () => limiter.block('ann', '1s'),
        () => limiter.reset('ann'),
        () => limiter.ready(50),
      ];
      for (const call of calls) await expect(call()).rejects.toMatchObject({ code: 'ERR_LIMIT_CLOSED' });
    }
    await shared.close();
    const limiter = make({ redis: { url: server.url, commandTimeout: '5s' }, onUnavailable, prefix: 'under-way:' });
    await limiter.ready();
    server.process.signal('SIGSTOP');
    try {
      const under = limiter.consume('ann').catch((error: unknown) => error);
      await limiter.close();
      expect(await under).toMatchObject({ code: 'ERR_LIMIT_CLOSED' });
    } finally {
      server.process.signal('SIGCONT');
    }
  },
);
