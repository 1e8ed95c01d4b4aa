import { randomUUID } from 'node:crypto';
import { durable, ephemeral } from '@tierkit/bus';
import { createRedis } from '@tierkit/redis';
import { afterEach, expect, inject, it } from 'vitest';
import { sharedRedis } from '../../../test/support/shared-redis.ts';
import { createTierkit, type Tierkit, type TierkitOptions } from '../src/index.ts';

const channels = {
  'events:version_promoted': durable<{ versionId: string }>(),
  'notifications:user:{id}': ephemeral<string>(),
};
const kits: Tierkit[] = [];
afterEach(async () => {
  await Promise.all(kits.splice(0).map((kit) => kit.close()));
});

function open(options: Partial<TierkitOptions> = {}): Tierkit {
  const kit = createTierkit({ redis: sharedRedis(), ...options });
  kits.push(kit);
  return kit;
}

it('carries events between instances, durable ones on durableRedis, and ends with the kit', async () => {
  const prefix = `t${randomUUID()}:`;
  const durableRedis = { url: inject('redisUrl') };
  const [one, two] = [open({ prefix, durableRedis }), open({ prefix, durableRedis })];
  await Promise.all([one.ready(), two.ready()]);
  const [here, there] = [one.bus(channels), two.bus(channels)];
  await here.ready();
  await here.publish('events:version_promoted', { versionId: 'v1' });
  const events = there.subscribe(['events:*', 'notifications:user:7'], { from: 'start' });
  await events.ready;
  expect((await events.next()).value?.data).toEqual({ versionId: 'v1' });
  await here.publish('notifications:user:7', 'hello');
  expect((await events.next()).value?.data).toBe('hello');
  const waiting = events.next();
  await two.close();
  expect(await waiting).toEqual({ value: undefined, done: true });
});

it('keeps its events to its prefix, and lasting ones on durableRedis alone', async () => {
  const redis = createRedis(sharedRedis());
  await redis.ready();
  const prefix = `t${randomUUID()}:`;
  // Another database of the same server.
  const durableRedis = `${inject('redisUrl')}/1`;
  const [kit, other] = [open({ prefix, durableRedis }), open({ prefix: `t${randomUUID()}:`, durableRedis })];
  const [here, there] = [kit.bus(channels, { prefix: 'own:' }), other.bus(channels, { prefix: 'own:' })];
  await Promise.all([here.ready(), there.ready()]);
  const [heard, elsewhere] = [here.subscribe('notifications:*'), there.subscribe('notifications:*')];
  await Promise.all([heard.ready, elsewhere.ready]);
  await here.publish('notifications:user:{id}', 'mine', { params: { id: '1' } });
  await there.publish('notifications:user:{id}', 'theirs', { params: { id: '1' } });
  expect((await heard.next()).value?.data).toBe('mine');
  expect((await elsewhere.next()).value?.data).toBe('theirs');
  await here.publish('events:version_promoted', { versionId: 'v1' });
  const stream = `${prefix}own:bus:{events:version_promoted}`;
  expect(await redis.execute((client) => client.exists(stream))).toBe(0);
  await redis.close();
  const durable = createRedis(durableRedis);
  await durable.ready();
  expect(await durable.execute((client) => client.xlen(stream))).toBe(1);
  await durable.close();
});

it('carries the events of kits in memory over the durableRedis that they have', async () => {
  const given = { redis: 'memory', prefix: `t${randomUUID()}:`, durableRedis: inject('redisUrl') };
  const [here, there] = [open(given).bus(channels), open(given).bus(channels)];
  const heard = there.subscribe('notifications:*');
  await heard.ready;
  await here.publish('notifications:user:{id}', 'x', { params: { id: '1' } });
  expect((await heard.next()).value?.data).toBe('x');
});

it('tells of many keys by a hundred of them, and logs what a handler throws', async () => {
  const errors: string[] = [];
  const silent = (): void => {};
  const error = (_: object, message: string): void => void errors.push(message);
  const logger = { debug: silent, info: silent, warn: silent, error };
  const kit = open({ prefix: `t${randomUUID()}:`, logger });
  await kit.ready();
  const bus = kit.bus({});
  // Who listens otherwise, and throws, keeps nobody else from hearing.
  kit.inspection.onChange(() => {
    throw new Error('a listener that fails');
  });
  const heard = bus.subscribe('system:cache_invalidation');
  const off = bus.on('system:cache_invalidation', () => {
    throw new Error('a handler that fails');
  });
  await Promise.all([heard.ready, off.ready]);
  await kit.project('p').deleteMany(Array.from({ length: 150 }, (_, n) => `k${n}`));
  const { value } = await heard.next();
  expect(value?.data).toMatchObject({ kind: 'keys', keys: { length: 100 }, count: 150 });
  expect(errors).toContain('a handler of the bus failed');
});

it.each([
  ['Redis', inject('redisUrl')],
  ['memory', 'memory'],
])('announces one-liners that end cached data: %s', async (name, redis) => {
  const prefix = `t${randomUUID()}:`;
  const acting = open({ redis, prefix });
  const hearing = name === 'memory' ? acting : open({ redis, prefix });
  await Promise.all([acting.ready(), hearing.ready()]);
  const heard = hearing.bus({}).subscribe('system:*');
  await heard.ready;
  const own = name === 'memory';
  const origin = own ? {} : { origin: expect.stringMatching(/^[\w-]{12}$/) as string };

  await acting.session('s1').clear(); // the user logged out
  await acting.project('p1').clear(); // the project changed
  await acting.invalidateTags(['version:v1']); // a new version: its analyses are obsolete
  await acting.global.invalidateTags(['hero:42']); // everything of an entity
  await acting.project('p1').deleteByPattern('file:*');
  await acting.project('p1').set('tree', 1);
  await acting.inspection.clearTier('project');

  const told = [
    { kind: 'scope', tier: 'session', scope: 's1' },
    { kind: 'scope', tier: 'project', scope: 'p1' },
    { kind: 'tags', tags: ['version:v1'] },
    { kind: 'tags', tier: 'global', tags: ['hero:42'] },
    { kind: 'pattern', tier: 'project', scope: 'p1', pattern: 'file:*' },
    { kind: 'keys', tier: 'project', scope: 'p1', keys: ['tree'], count: 1 },
    { kind: 'tier', tier: 'project' },
  ];
  for (const change of told) {
    const { value } = await heard.next();
    expect(value?.type).toBe('system:cache_invalidation');
    expect(value?.data).toEqual({ ...change, own, ...origin });
  }
});

it('keeps nothing durable in a kit that keeps nothing', async () => {
  const kit = open({ redis: 'null' });
  expect(() => kit.bus(channels)).toThrow(expect.objectContaining({ code: 'ERR_TIERKIT_OPTIONS' }) as Error);
  const bus = kit.bus({ news: ephemeral<string>() });
  const events = bus.subscribe('news');
  await events.ready;
  await bus.publish('news', 'x');
  expect((await events.next()).value?.data).toBe('x');
});
