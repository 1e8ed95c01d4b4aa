import { createManualClock } from '@tierkit/core/testing';
import { randomBytes } from 'node:crypto';
import { afterEach, describe, expect, inject, it } from 'vitest';
import { Redis } from 'ioredis';
import { until } from '../../../test/servers/index.ts';
import { sharedRedis } from '../../../test/support/shared-redis.ts';
import { createTierkit, type Tierkit, type TierkitOptions } from '../src/index.ts';

const kits: Tierkit[] = [];
afterEach(async () => {
  await Promise.all(kits.splice(0).map((kit) => kit.close()));
});

async function open(prefix: string, options: Partial<TierkitOptions> = {}): Promise<Tierkit> {
  const kit = createTierkit({ redis: sharedRedis(), prefix, ...options });
  kits.push(kit);
  await kit.ready('10s');
  return kit;
}

const fresh = (): string => `t${randomBytes(6).toString('hex')}:`;

describe('instances', () => {
  it('are those alive on the same prefix, with what they hold, and no longer when they are closed', async () => {
    const prefix = fresh();
    const [one, two, stranger] = [await open(prefix), await open(prefix), await open(fresh())];
    await until('both are known', async () => (await one.instances()).length === 2);
    const own = (await one.instances()).filter((instance) => instance.own);
    expect(own).toMatchObject([{ pid: process.pid, coherent: true, l1: { entries: 0 } }]);
    expect(own[0]?.ageMs).toBeLessThan(15_000);
    expect(await stranger.instances()).toHaveLength(1);
    await two.close();
    expect(await one.instances()).toHaveLength(1);
  });

  it('say every five seconds what they counted', async () => {
    const clock = createManualClock();
    const prefix = fresh();
    const kit = await open(prefix, { clock });
    const other = await open(prefix);
    const told = async () => (await other.instances()).find(({ own }) => !own);
    await until('it is known', async () => (await told()) !== undefined);
    await kit.global.set('a', 1);
    await kit.global.get('a');
    await kit.global.get('none');
    clock.advance(5_000);
    await until('it says so', async () => (await told())?.hits === 1);
    expect(await told()).toMatchObject({ misses: 1, coherent: true, l1: { entries: 1 } });
  });

  it('that were silent for fifteen seconds are gone, and forgotten by the next that gives a sign', async () => {
    const prefix = fresh();
    const redis = new Redis(inject('redisUrl'));
    const [seen, facts] = [`${prefix}{tierkit}instances:seen`, `${prefix}{tierkit}instances:facts`];
    await redis.zadd(seen, Date.now() - 16_000, 'dead');
    await redis.hset(facts, 'dead', '{}');
    const kit = await open(prefix);
    await until('it is known', async () => (await kit.instances()).length === 1);
    expect(await redis.hkeys(facts)).toHaveLength(1);
    expect(await redis.zcard(seen)).toBe(1);
    const left = await redis.pttl(facts);
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThanOrEqual(15_000);
    redis.disconnect();
  });

  it('whose facts are none are left out', async () => {
    const prefix = fresh();
    const kit = await open(prefix);
    const redis = new Redis(inject('redisUrl'));
    await until('it is known', async () => (await kit.instances()).length === 1);
    const long = JSON.stringify({ ...(await kit.instances())[0] }).padEnd(5_000);
    for (const [id, said] of Object.entries({ a: 'no JSON', b: '{}', c: '{"host":1}', long })) {
      await redis.zadd(`${prefix}{tierkit}instances:seen`, Date.now() + 1_000, id);
      await redis.hset(`${prefix}{tierkit}instances:facts`, id, said);
    }
    expect(await kit.instances()).toMatchObject([{ own: true }]);
    redis.disconnect();
  });

  it('in memory are this one alone', async () => {
    const kit = createTierkit({ redis: 'memory' });
    kits.push(kit);
    expect(await kit.instances()).toMatchObject([{ own: true, ageMs: 0, pid: process.pid }]);
  });
});
