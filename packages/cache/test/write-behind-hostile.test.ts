import { createRedis, type RedisConnection } from '@tierkit/redis';
import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { until } from '../../../test/servers/index.ts';
import { sharedRedis } from '../../../test/support/shared-redis.ts';
import { createTiers, type Tiers, type WriteBehindOptions } from '../src/index.ts';

let redis: RedisConnection;
beforeAll(async () => {
  redis = createRedis(sharedRedis());
  await redis.ready();
});
afterAll(() => redis.close());

let prefix: string;
let tiers: Tiers;
beforeEach(async () => {
  prefix = `h${randomBytes(6).toString('hex')}:`;
  tiers = createTiers({ redis: sharedRedis(), prefix });
  await tiers.ready('10s');
});
afterEach(() => tiers.close());

const given: unknown[] = [];
const flush = (batch: readonly { readonly key: unknown }[]): void => void given.push(...batch.map(({ key }) => key));
const patient = { batch: { age: '1h' }, drainTimeout: '50ms', worker: false } as const;

it.each([null, { flush: null }, { flush, batch: null }, { flush, retry: null }])(
  'options %o are refused',
  (options) => {
    const make = (): unknown => tiers.writeBehind('q', options as unknown as WriteBehindOptions);
    expect(make).toThrow(expect.objectContaining({ code: 'ERR_CACHE_OPTIONS' }));
    expect(() => tiers.writeBehind(null as unknown as string, { flush })).toThrow(
      expect.objectContaining({ code: 'ERR_CACHE_OPTIONS' }),
    );
  },
);

it('calls with arguments that are none are refused with a code', async () => {
  const queue = tiers.writeBehind('q', { flush, ...patient });
  const scope = tiers.session('one');
  const calls: (() => Promise<unknown>)[] = [null, undefined, {}, 'q'].flatMap((none) => [
    async () => scope.writeBehind('a', 1, none as never),
    async () => scope.deleteBehind('a', none as never),
  ]);
  calls.push(
    ...[null, 5, 'x'].map((none) => async () => queue.deadLetters(none as never)),
    ...[null, 5, 'x', { ids: 'x' }, { ids: [null] }].map((none) => async () => queue.replay(none as never)),
    ...[null, undefined, 'x', ['x']].map((none) => async () => queue.discard(none as never)),
  );
  for (const call of calls) await expect(call()).rejects.toMatchObject({ code: 'ERR_CACHE_OPTIONS' });
  await expect(queue.drain(null as never)).rejects.toMatchObject({ code: 'ERR_DURATION_INVALID' });
});

it('a turn that somebody left without an end is taken all the same', async () => {
  const writer = tiers.writeBehind('q', { flush, ...patient });
  await tiers.session('one').writeBehind('left', 1, writer);
  await redis.execute((client) => client.set(`${prefix}{tierkit}behind:q~turn`, '1'));
  given.length = 0;
  const other = createTiers({ redis: sharedRedis(), prefix });
  await other.ready('10s');
  other.writeBehind('q', { flush, poll: '20ms', batch: { age: '1ms' } });
  await until('what another process wrote is flushed', () => given.includes('left'));
  await other.close();
});

it('what is pending can still be written once all know that the queue is full', async () => {
  const queue = tiers.writeBehind('q', { flush, ...patient, poll: '20ms', maxBacklog: 2 });
  const scope = tiers.session('one');
  await scope.writeBehind('a', 1, queue);
  await scope.writeBehind('b', 1, queue);
  // Another scope is under the limit by itself: it is refused for what is noted of all of them.
  await until('the backlog is noted', async () => {
    const write = tiers.session(randomBytes(6).toString('hex')).writeBehind('c', 1, queue);
    return write.then(
      () => false,
      (error: unknown) => (error as { code?: unknown }).code === 'ERR_WRITE_BEHIND_FULL',
    );
  });
  const version = await scope.writeBehind('a', 2, queue);
  expect(await scope.deleteBehind('b', queue)).toBeGreaterThan(version);
  await expect(scope.writeBehind('d', 1, queue)).rejects.toMatchObject({ code: 'ERR_WRITE_BEHIND_FULL' });
  await expect(tiers.session('three').writeBehind('d', 1, queue)).rejects.toMatchObject({
    code: 'ERR_WRITE_BEHIND_FULL',
  });
  expect(await scope.get('a')).toBe(2);
});

it.each([
  ['bytes that are no record', 'hash'],
  ['a key of another type', 'string'],
])('%s in one scope are no reason not to flush the others', async (_, type) => {
  const writer = tiers.writeBehind('q', { flush, ...patient });
  await tiers.session('spoilt').writeBehind('spoilt', 1, writer);
  // More scopes than are on a page.
  await Promise.all(Array.from({ length: 230 }, (_, i) => tiers.session(`sound${i}`).writeBehind('sound', 1, writer)));
  const spoilt = `${prefix}session:{spoilt}~pending`;
  if (type === 'hash') await redis.execute((client) => client.hset(spoilt, 'spoilt', 'no record'));
  else await redis.execute((client) => client.set(`${spoilt}~due:q`, 'no set'));
  given.length = 0;
  const other = createTiers({ redis: sharedRedis(), prefix });
  await other.ready('10s');
  const queue = other.writeBehind('q', { flush, poll: '20ms', batch: { age: '1ms' } });
  await until('the other scopes are flushed', () => given.filter((key) => key === 'sound').length >= 230);
  if (type === 'hash') {
    expect(await queue.drain()).toBe(true);
    expect(await tiers.session('spoilt').writeBehind('spoilt', 2, writer)).toBeGreaterThan(0);
    expect(await queue.drain()).toBe(true);
    expect(given.at(-1)).toBe('spoilt');
  } else {
    await expect(queue.status()).rejects.toMatchObject({ code: 'ERR_REDIS_REPLY' });
  }
  await other.close();
});
