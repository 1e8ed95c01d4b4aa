import { createManualClock } from '@tierkit/core/testing';
import { createRedis, createSubscriber, type RedisConnection, type Subscriber } from '@tierkit/redis';
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startRedis, until, type StandaloneRedis } from '../../../test/servers/index.ts';
import { sharedRedis } from '../../../test/support/shared-redis.ts';
import { createLimiter, fixedWindow, gcra, type Limiter, type LimiterOptions, type LimitResult } from '../src/index.ts';
import { Shield } from '../src/shield/shield.ts';
import type { Parameters } from '../src/stores/limit-store.ts';

let redis: RedisConnection;
let other: RedisConnection;
let prefix = '';
const open: Limiter[] = [];

beforeAll(async () => {
  redis = createRedis(sharedRedis());
  other = createRedis(sharedRedis());
  await Promise.all([redis.ready(), other.ready()]);
});
beforeEach(() => (prefix = `t${randomBytes(6).toString('hex')}:`));
afterAll(async () => {
  await Promise.all(open.map((limiter) => limiter.close()));
  await Promise.all([redis.close(), other.close()]);
});

function make(connection = redis, options: Partial<LimiterOptions> = {}): Limiter {
  const policies = [fixedWindow({ limit: 5, per: '1h' }), gcra({ limit: 100, per: '1h' })];
  const limiter = createLimiter('shielded', policies, { redis: connection, prefix, ...options }) as Limiter;
  open.push(limiter);
  return limiter;
}

/** Asks until the denial comes from the process itself. */
async function denied(limiter: Limiter, subject = 'ann'): Promise<LimitResult> {
  await limiter.consume(subject, { cost: 5 });
  let result = await limiter.consume(subject);
  await until('the shield answers', async () => {
    result = await limiter.consume(subject);
    return result.source === 'shield';
  });
  return result;
}

describe('a denied subject', () => {
  it('is answered by the process, as Redis would', async () => {
    const limiter = make();
    const shielded = await denied(limiter);
    const asked = await limiter.peek('ann');
    expect(shielded).toMatchObject({ allowed: false, limit: 5, remaining: 0, policy: 'fixed-window', shadowed: false });
    expect(Math.abs(shielded.retryAfterMs - asked.retryAfterMs)).toBeLessThan(2_000);
    expect(shielded.policies.map(({ remaining }) => remaining)).toEqual(
      asked.policies.map(({ remaining }) => remaining),
    );
  });

  it('still may take less, has other limits, repeats an id', async () => {
    const limiter = make(redis, { plans: { pro: { 'fixed-window': 50 } } });
    await limiter.consume('ann', { cost: 2, id: 'first' });
    await until('the shield answers', async () => (await limiter.consume('ann', { cost: 4 })).source === 'shield');
    expect(await limiter.consume('ann', { cost: 5 })).toMatchObject({ allowed: false, source: 'shield' });
    expect(await limiter.consume('ann', { cost: 6 })).toMatchObject({ retryAfterMs: Infinity, source: 'redis' });
    expect(await limiter.consume('ann', { cost: 2, id: 'first' })).toMatchObject({ allowed: true, source: 'redis' });
    expect(await limiter.consume('ann', { cost: 4, plan: 'pro' })).toMatchObject({ allowed: true });
    expect(await limiter.consume('ann', { limits: { 'fixed-window': 7 } })).toMatchObject({ allowed: true });
    expect(await limiter.consume('bob')).toMatchObject({ allowed: true });
  });

  it('is asked for again at once after a refund or a reset here', async () => {
    const limiter = make();
    await denied(limiter);
    await limiter.refund('ann', { cost: 1 });
    expect(await limiter.consume('ann')).toMatchObject({ allowed: true, source: 'redis' });
    await limiter.consume('ann');
    await limiter.reset('ann');
    expect(await limiter.consume('ann')).toMatchObject({ allowed: true, remaining: 4 });
  });

  it.each(['refund', 'reset', 'block'] as const)('hears of a %s on another node', async (change) => {
    const [here, there] = [make(), make(other)];
    await denied(here);
    if (change === 'block') await there.block('ann', '30ms');
    else await there[change]('ann');
    await until('the shield is undone', async () => (await here.consume('ann')).source === 'redis');
    if (change !== 'block') expect(await here.peek('ann')).toMatchObject({ remaining: change === 'reset' ? 4 : 0 });
  });

  it('of a block is denied whatever it costs and whatever its limits are', async () => {
    const limiter = make();
    await limiter.block('ann', '1h');
    await until('the shield answers', async () => (await limiter.consume('ann', { cost: 3 })).source === 'shield');
    expect(await limiter.consume('ann')).toMatchObject({ source: 'shield', policy: 'block' });
    expect(await limiter.consume('ann', { limits: { gcra: 5 } })).toMatchObject({ source: 'shield' });
  });

  it('costs Redis nothing', async () => {
    const server = await startRedis();
    const connection = createRedis(server.url);
    try {
      await connection.ready();
      const limiter = make(connection);
      await denied(limiter);
      const scripts = async (): Promise<number> => {
        const info = await connection.execute((client) => client.info('commandstats'));
        return Number(/cmdstat_evalsha:calls=(\d+)/.exec(info)?.[1]);
      };
      const before = await scripts();
      for (let i = 0; i < 1_000; i++) await limiter.consume('ann');
      expect(await scripts()).toBe(before);
    } finally {
      await connection.close();
      await server.stop();
    }
  });
});

it('a limiter that nobody was denied by has no subscriber, and one that is given is shared', async () => {
  const listening = async (): Promise<boolean> => {
    const channels = (await redis.execute((client) => client.pubsub('CHANNELS', `${prefix}*`))) as string[];
    return channels.some((channel) => channel.includes('limit:'));
  };
  const limiter = make();
  await limiter.consume('ann');
  expect(await listening()).toBe(false);
  const subscriber: Subscriber = createSubscriber(redis, { prefix });
  const sharing = make(redis, { subscriber });
  await denied(sharing, 'bob');
  expect(await listening()).toBe(true);
  await sharing.close();
  await until('nobody listens', async () => !(await listening()));
  subscriber.close();
});

describe('without the feed', () => {
  let server: StandaloneRedis;
  beforeAll(async () => void (server = await startRedis()));
  afterAll(() => server.stop());

  it('the shield is down, and up again when the feed is back', async () => {
    const connection = createRedis(server.url);
    await connection.ready();
    const limiter = make(connection);
    await denied(limiter);
    // Ends the subscriber and the data connection alike; the state in Redis stays.
    await connection.execute((client) => client.call('CLIENT', 'KILL', 'TYPE', 'pubsub'));
    await until('Redis is asked', async () => (await limiter.consume('ann')).source === 'redis');
    await until('the shield answers', async () => (await limiter.consume('ann')).source === 'shield');
    await limiter.close();
    await connection.close();
  });
});

describe('the shield itself', () => {
  const parameters: Parameters = [[5, 1_000]];
  const denial = (retryAfterMs: number): LimitResult => ({
    allowed: false,
    limit: 5,
    remaining: 0,
    resetMs: 1_000,
    retryAfterMs,
    policy: 'p',
    source: 'redis',
    shadowed: false,
    policies: [{ name: 'p', limit: 5, remaining: 0, resetMs: 1_000, retryAfterMs }],
  });

  it('keeps no denial that was asked for before an undo that came while Redis answered', () => {
    const shield = new Shield(createManualClock(), 10);
    shield.raise();
    const moment = shield.moment();
    shield.undo('ann');
    shield.remember('ann', parameters, 1, denial(500), moment);
    expect(shield.answer('ann', parameters, 1)).toBeUndefined();
    shield.remember('ann', parameters, 1, denial(500), shield.moment());
    expect(shield.answer('ann', parameters, 1)).toMatchObject({ source: 'shield', retryAfterMs: 500 });
  });

  it('keeps none that was asked for before it was lowered and raised', () => {
    const shield = new Shield(createManualClock(), 10);
    shield.raise();
    const moment = shield.moment();
    shield.lower();
    shield.raise();
    shield.remember('ann', parameters, 1, denial(500), moment);
    expect(shield.answer('ann', parameters, 1)).toBeUndefined();
  });

  it('ends with the time to wait, never later, and is bounded', () => {
    const clock = createManualClock();
    const shield = new Shield(clock, 2);
    shield.raise();
    for (const subject of ['ann', 'bob', 'cat']) shield.remember(subject, parameters, 1, denial(500), shield.moment());
    expect(shield.answer('ann', parameters, 1)).toBeUndefined();
    clock.advance(400);
    expect(shield.answer('cat', parameters, 1)).toMatchObject({ retryAfterMs: 100, resetMs: 600 });
    clock.advance(99);
    expect(shield.answer('cat', parameters, 1)).toBeUndefined();
  });
});
