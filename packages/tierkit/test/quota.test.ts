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

const metrics = { api_calls: { per: 'day', limit: 2 }, stored_bytes: { gauge: true, limit: 10 } } as const;

async function keysOf(url: string, pattern: string): Promise<string[]> {
  const redis = createRedis(url);
  onTestFinished(() => redis.close());
  await redis.ready();
  return redis.execute((client) => client.keys(pattern));
}

it('counts under the prefix of the kit, on its Redis, for all kits on it', async () => {
  const name = prefix();
  const [one, two] = [open({ prefix: name }), open({ prefix: name })];
  const [here, there] = [one.quota(metrics), two.quota(metrics, { timeZone: 'UTC' })];
  await Promise.all([here.ready(), there.ready()]);
  await here.add('user', { api_calls: 1 });
  expect((await there.add('user', { api_calls: 1 })).usage.api_calls.day.used).toBe(2);
  expect((await here.add('user', { api_calls: 1 })).allowed).toBe(false);
  expect(await keysOf(inject('redisUrl'), `${name}quota:{user}:*`)).toHaveLength(1);
});

it('counts on durableRedis where there is one, and shares that connection among quotas', async () => {
  const name = prefix();
  const url = `${inject('redisUrl')}/1`;
  const clientName = name.slice(0, -1);
  const kit = open({ prefix: name, durableRedis: { url, clientName } });
  const quotas = [kit.quota(metrics), kit.quota(metrics, { prefix: 'other:' })];
  for (const quota of quotas) {
    await quota.ready();
    await quota.add('user', { api_calls: 1 });
  }
  expect(await keysOf(inject('redisUrl'), `${name}*quota:*`)).toEqual([]);
  expect((await keysOf(url, `${name}*`)).sort()).toEqual([
    expect.stringContaining(`${name}other:quota:{user}:per:day:`),
    expect.stringContaining(`${name}quota:{user}:per:day:`),
  ]);
  const redis = createRedis(url);
  onTestFinished(() => redis.close());
  await redis.ready();
  const connections = async (): Promise<number> => {
    const list = String(await redis.execute((client) => client.client('LIST')));
    return list.split(`name=${clientName} `).length - 1;
  };
  expect(await connections()).toBe(1);
  await kit.close();
  await expect.poll(connections).toBe(0);
  await expect(quotas[0]?.add('user', { api_calls: 1 })).rejects.toMatchObject({ code: 'ERR_QUOTA_CLOSED' });
});

it('counts in memory where the kit is in memory, by its clock, and nowhere where it keeps nothing', async () => {
  const quota = open({ redis: 'memory' }).quota(metrics);
  expect((await quota.add('user', { stored_bytes: 4 })).usage.stored_bytes.gauge.used).toBe(4);
  const refused = expect.objectContaining({ code: 'ERR_TIERKIT_OPTIONS' });
  expect(() => open({ redis: 'null' }).quota(metrics)).toThrow(refused);
  expect(() => open({ redis: 'memory' }).quota({ a: { per: 'never', limit: 1 } })).toThrow(
    expect.objectContaining({ code: 'ERR_QUOTA_OPTIONS' }),
  );
});
