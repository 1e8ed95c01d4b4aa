import { createManualClock } from '@tierkit/core/testing';
import { createRedis, type RedisConnection } from '@tierkit/redis';
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../../test/servers/index.ts';
import { sharedRedis } from '../../../test/support/shared-redis.ts';
import { sleep } from '../../../test/support/sleep.ts';
import { createGuard, type Guard, type GuardOptions } from '../src/index.ts';

const account = { failures: 3, within: '1h', blocks: ['1s', '2s', '4s'] };
const address = { failures: 6, within: '1h', blocks: ['1h'] };

describe.each(['memory', 'redis'])('a guard on %s', (backend) => {
  const clock = createManualClock(5_000);
  let redis: RedisConnection;
  beforeAll(async () => {
    redis = createRedis(sharedRedis());
    await redis.ready();
  });
  afterAll(() => redis.close());

  const pass = (ms: number): Promise<unknown> => (backend === 'memory' ? clock.advanceAsync(ms) : sleep(ms));
  const make = (options: Partial<GuardOptions> = {}): Guard => {
    const prefix = `t${randomBytes(6).toString('hex')}:`;
    const where = backend === 'memory' ? ({ redis: 'memory', clock } as const) : { redis };
    return createGuard('login', { ...where, prefix, account, address, ...options });
  };
  const ann = { account: 'ann', address: '192.0.2.1' };

  it('blocks an account at so many failures in a row, and says how many are left', async () => {
    const guard = make();
    expect(await guard.check(ann)).toMatchObject({ allowed: true, failuresLeft: 3, source: backend });
    expect(await guard.failed(ann)).toMatchObject({ allowed: true, failuresLeft: 2 });
    expect(await guard.failed(ann)).toMatchObject({ allowed: true, failuresLeft: 1 });
    const blocked = await guard.failed(ann);
    expect(blocked).toMatchObject({ allowed: false, blocked: 'account', retryAfterMs: 1_000, failuresLeft: 0 });
    const checked = await guard.check(ann);
    expect(checked).toMatchObject({ allowed: false, blocked: 'account' });
    expect(checked.retryAfterMs).toBeLessThanOrEqual(1_000);
    expect(await guard.check({ account: 'ann' })).toMatchObject({ allowed: false });
    expect(await guard.check({ address: ann.address })).toMatchObject({ allowed: true, failuresLeft: 3 });
    expect(await guard.check({ account: 'bob' })).toMatchObject({ allowed: true, failuresLeft: 3 });
  });

  it('blocks for longer each time, also after a success in between, and up to the last', async () => {
    const guard = make({ account: { ...account, blocks: ['1s', '2h', '3h'] } });
    const only = { account: 'ann' };
    const fail = async (): Promise<number> => {
      await guard.failed(only);
      await guard.failed(only);
      return (await guard.failed(only)).retryAfterMs;
    };
    expect(await fail()).toBe(1_000);
    await pass(1_050);
    expect(await guard.check(only)).toMatchObject({ allowed: true, failuresLeft: 3 });
    await guard.succeeded(only);
    expect(await fail()).toBe(7_200_000);
    await guard.succeeded(only);
    expect(await fail()).toBe(10_800_000);
    await guard.succeeded(only);
    expect(await fail()).toBe(10_800_000);
    await guard.reset(only);
    expect(await fail()).toBe(1_000);
  });

  it('a success ends what is in a row for the account, and not for the address', async () => {
    const guard = make();
    await guard.failed(ann);
    await guard.failed(ann);
    await guard.succeeded(ann);
    expect(await guard.check({ account: 'ann' })).toMatchObject({ failuresLeft: 3 });
    expect(await guard.check({ address: ann.address })).toMatchObject({ failuresLeft: 4 });
  });

  it('blocks an address that fails for many accounts, however it is written', async () => {
    const guard = make();
    const from = ['192.0.2.9', '::ffff:192.0.2.9'];
    for (let i = 0; i < 5; i++) await guard.failed({ account: `user ${i}`, address: from[i % 2] ?? '' });
    expect(await guard.failed({ account: 'last', address: '192.0.2.9' })).toMatchObject({ blocked: 'address' });
    expect(await guard.check({ account: 'new', address: '192.0.2.9' })).toMatchObject({
      allowed: false,
      blocked: 'address',
    });
    for (let i = 0; i < 6; i++) await guard.failed({ address: `2001:db8:1:2::${i}` });
    expect(await guard.check({ address: '2001:db8:1:2:ffff::1' })).toMatchObject({ allowed: false });
    expect(await guard.check({ address: '2001:db8:1:3::1' })).toMatchObject({ allowed: true });
  });

  it('of failures at once one blocks, and none prolongs the block', async () => {
    const guard = make();
    const verdicts = await Promise.all(Array.from({ length: 30 }, () => guard.failed({ account: 'ann' })));
    expect(verdicts.filter(({ allowed }) => allowed)).toHaveLength(2);
    expect((await guard.check({ account: 'ann' })).retryAfterMs).toBeLessThanOrEqual(1_000);
    await pass(1_050);
    expect(await guard.check({ account: 'ann' })).toMatchObject({ allowed: true });
  });

  it('of attempts at once no more are made than may fail, and a success in time is none of them', async () => {
    const guard = make();
    const storm = await Promise.all(Array.from({ length: 30 }, () => guard.attempt({ account: 'ann' })));
    expect(storm.filter(({ allowed }) => allowed)).toHaveLength(3);
    expect(storm.map(({ failuresLeft }) => failuresLeft).sort()).toEqual([...Array<number>(28).fill(0), 1, 2]);
    const denied = storm.filter(({ allowed }) => !allowed);
    for (const { blocked, retryAfterMs } of denied) {
      expect(blocked).toBe('account');
      // The block itself, or the longest that it may be for those between the count and the block.
      expect([1_000, 4_000]).toContain(Math.ceil(retryAfterMs / 1_000) * 1_000);
    }
    await denied[0]?.succeeded();
    expect(await guard.check({ account: 'ann' })).toMatchObject({ allowed: false });
    await pass(1_050);
    expect(await guard.attempt({ account: 'ann' })).toMatchObject({ allowed: true, failuresLeft: 2 });
  });

  it('an attempt that succeeds ends the failures of the account and a block that it made ahead, and is none of the address', async () => {
    const guard = make({ account: { ...account, blocks: ['1h', '2h'] } });
    const fail = async (): Promise<number> => {
      for (let i = 0; i < 3; i++) await guard.attempt({ account: 'ann' });
      return (await guard.attempt({ account: 'ann' })).retryAfterMs;
    };
    await guard.attempt(ann);
    await guard.attempt(ann);
    const last = await guard.attempt(ann);
    expect(last).toMatchObject({ allowed: true, failuresLeft: 0, retryAfterMs: 0, blocked: undefined });
    expect(await guard.check(ann)).toMatchObject({ allowed: false, blocked: 'account' });
    await last.succeeded();
    expect(await guard.check({ account: 'ann' })).toMatchObject({ allowed: true, failuresLeft: 3 });
    expect(await guard.check({ address: ann.address })).toMatchObject({ failuresLeft: 4 });
    expect(Math.ceil((await fail()) / 3_600_000)).toBe(1);
    await guard.succeeded({ account: 'ann' });
    for (let i = 0; i < 3; i++) await guard.failed({ account: 'ann' });
    await guard.succeeded({ account: 'ann' });
    expect(Math.ceil((await fail()) / 3_600_000)).toBe(2);
  });

  it('an address is not blocked by those who succeed, nor used up by attempts that its account is denied', async () => {
    const guard = make();
    for (let i = 0; i < 10; i++) {
      const attempt = await guard.attempt({ account: `user ${i}`, address: ann.address });
      expect(attempt).toMatchObject({ allowed: true });
      await attempt.succeeded();
    }
    for (let i = 0; i < 3; i++) await guard.attempt({ account: 'ann' });
    for (let i = 0; i < 10; i++) expect(await guard.attempt(ann)).toMatchObject({ allowed: false, blocked: 'account' });
    expect(await guard.check({ address: ann.address })).toMatchObject({ failuresLeft: 6 });
    const last = await Promise.all(Array.from({ length: 6 }, () => guard.attempt({ address: ann.address })));
    expect(await guard.check({ address: ann.address })).toMatchObject({ allowed: false });
    await last[0]?.succeeded();
    expect(await guard.check({ address: ann.address })).toMatchObject({ allowed: true, failuresLeft: 1 });
    await last[1]?.succeeded();
    expect(await guard.check({ address: ann.address })).toMatchObject({ failuresLeft: 2 });
    await guard.reset({ address: ann.address });
    for (let i = 0; i < 6; i++) await guard.failed({ address: ann.address });
    // A blocked address uses up no attempts of accounts.
    for (let i = 0; i < 5; i++) await guard.attempt({ account: 'bob', address: ann.address });
    expect(await guard.check({ account: 'bob' })).toMatchObject({ failuresLeft: 3 });
  });

  it('one failure can be one too many', async () => {
    const guard = make({ account: { ...account, failures: 1 } });
    expect(await guard.failed({ account: 'ann' })).toMatchObject({ allowed: false, retryAfterMs: 1_000 });
  });

  it('refuses what is no subject', async () => {
    const guard = make();
    await expect(guard.check({})).rejects.toMatchObject({ code: 'ERR_LIMIT_ARGUMENT' });
    await expect(guard.failed({ address: '127.1' })).rejects.toMatchObject({ code: 'ERR_ADDRESS_INVALID' });
    await expect(guard.check({ account: '' })).rejects.toMatchObject({ code: 'ERR_KEY_INVALID' });
    const misspelt = { account: 'ann', adress: '192.0.2.1' };
    await expect(guard.attempt(misspelt)).rejects.toMatchObject({ code: 'ERR_LIMIT_ARGUMENT' });
  });
});

it('failures that are not in a row any more are forgotten', async () => {
  const clock = createManualClock();
  const guard = createGuard('login', { redis: 'memory', clock, account });
  await guard.failed({ account: 'ann' });
  await guard.failed({ account: 'ann' });
  await clock.advanceAsync(3_600_000);
  expect(await guard.check({ account: 'ann' })).toMatchObject({ failuresLeft: 3 });
});

it('a memory guard counts months, and keeps no timer', async () => {
  const clock = createManualClock();
  const guard = createGuard('login', {
    redis: 'memory',
    clock,
    account: { failures: 1, within: '60d', blocks: ['60d'], forget: '60d' },
  });
  await guard.failed({ account: 'ann' });
  await clock.advanceAsync(59 * 86_400_000);
  expect(await guard.check({ account: 'ann' })).toMatchObject({ allowed: false });
  expect(clock.pendingTimers).toBe(0);
});

it('without Redis it answers as onUnavailable says, and confirms nothing', async () => {
  const redis = { host: '127.0.0.1', port: await freePort() };
  const [open, closed] = [createGuard('a', { redis }), createGuard('b', { redis, onUnavailable: 'closed' })];
  expect(await open.check({ account: 'ann' })).toMatchObject({ allowed: true, source: 'open' });
  expect(await open.failed({ account: 'ann' })).toMatchObject({ allowed: true, source: 'open' });
  expect(await closed.check({ account: 'ann' })).toMatchObject({ allowed: false, source: 'closed' });
  expect(await closed.attempt({ account: 'ann' })).toMatchObject({ allowed: false, source: 'closed' });
  const uncounted = await open.attempt({ account: 'ann' });
  expect(uncounted).toMatchObject({ allowed: true, source: 'open' });
  await uncounted.succeeded();
  await expect(open.ready(50)).rejects.toMatchObject({ code: 'ERR_REDIS_UNAVAILABLE' });
  await expect(open.succeeded({ account: 'ann' })).rejects.toMatchObject({ code: 'ERR_LIMIT_UNAVAILABLE' });
  await Promise.all([open.close(), closed.close()]);
});

it.each([
  ['blocks shorter than a second', { account: { ...account, blocks: ['500ms'] } }],
  ['half seconds', { account: { ...account, within: 1_500 } }],
  ['no blocks', { account: { ...account, blocks: [] } }],
  ['blocks longer than they are remembered', { account: { ...account, blocks: ['2d'] } }],
  ['no failures', { address: { ...address, failures: 0 } }],
  ['a prefix with braces', { prefix: '{a}' }],
  ['an unknown option', { points: 5 }],
  ['no redis', { redis: undefined }],
])('refuses %s', (_, options) => {
  expect(() => createGuard('login', { redis: 'memory', ...options } as GuardOptions)).toThrow(
    expect.objectContaining({ code: 'ERR_LIMIT_OPTIONS' }),
  );
});

it('refuses what is no subject, no rule and no options, and calls after close', async () => {
  const guard = createGuard('login', { redis: 'memory' });
  for (const subject of [null, undefined, 5, {}] as never[]) {
    for (const call of ['attempt', 'check', 'failed', 'reset'] as const) {
      await expect(guard[call](subject)).rejects.toMatchObject({ code: 'ERR_LIMIT_ARGUMENT' });
    }
  }
  await guard.ready();
  const attempt = await guard.attempt({ account: 'ann' });
  await guard.close();
  for (const call of ['attempt', 'check', 'failed', 'succeeded', 'reset'] as const) {
    await expect(guard[call]({ account: 'ann' })).rejects.toMatchObject({ code: 'ERR_LIMIT_CLOSED' });
  }
  await expect(guard.ready()).rejects.toMatchObject({ code: 'ERR_LIMIT_CLOSED' });
  await expect(attempt.succeeded()).rejects.toMatchObject({ code: 'ERR_LIMIT_CLOSED' });
  const misspelt = { redis: 'memory', account: { ...account, forgett: '1d' } } as GuardOptions;
  for (const options of [null, misspelt] as GuardOptions[]) {
    expect(() => createGuard('login', options)).toThrow(expect.objectContaining({ code: 'ERR_LIMIT_OPTIONS' }));
  }
});
