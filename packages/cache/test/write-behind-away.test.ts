import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { freePort, RedisProcess, startRedis, until, type StandaloneRedis } from '../../../test/servers/index.ts';
import { createTiers, type Tiers, type TiersOptions } from '../src/index.ts';

// What readers answer of pending writes while they cannot hear, or the cache is away.
let server: StandaloneRedis;
let admin: Redis;
const opened: Tiers[] = [];
beforeAll(async () => {
  server = await startRedis();
  admin = new Redis(server.url);
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((tiers) => tiers.close()));
});
afterAll(async () => {
  admin.disconnect();
  await server.stop();
});

async function open(options: Partial<TiersOptions> & Pick<TiersOptions, 'prefix'>): Promise<Tiers> {
  const tiers = createTiers({ redis: server.url, ...options });
  opened.push(tiers);
  await tiers.ready('10s');
  return tiers;
}

const patient = { flush: () => {}, worker: false } as const;

it('who hears nothing asks of every tier whether something is pending', async () => {
  await admin.call('ACL', 'SETUSER', 'deaf', 'on', '>secret', '~*', '&*', '+@all');
  const prefix = `a${randomBytes(6).toString('hex')}:`;
  const reader = await open({ prefix, redis: server.url.replace('//', '//deaf:secret@') });
  const writer = await open({ prefix });
  // It can listen to nothing any more, and is told of nothing.
  await admin.call('ACL', 'SETUSER', 'deaf', 'resetchannels');
  await until('it noticed', () => !reader.stats().coherent);
  const scope = writer.tier('late', { ttl: '1m' })('s');
  await scope.writeBehind('k', 'pending', writer.writeBehind('q', patient));
  await scope.delete('k');
  const asked = reader.tier('late', { ttl: '1m' })('s');
  expect(await asked.getOrSet('k', () => 'from the source, and older')).toBe('pending');
});

it('what is pending on a durable Redis apart is read while the cache is away', async () => {
  const cache = await startRedis();
  try {
    const prefix = `a${randomBytes(6).toString('hex')}:`;
    const tiers = await open({
      prefix,
      redis: cache.url,
      durableRedis: { url: server.url, commandTimeout: '10s' },
      l1: false,
    });
    const scope = tiers.session('s');
    await scope.writeBehind('k', 'pending', tiers.writeBehind('q', patient));
    await cache.process.end();
    // What is asked of it before that may take as long as a read may.
    await until('it is noticed', () => !tiers.stats().coherent);
    expect(await scope.getOrSet('k', () => 'from the source, and older')).toBe('pending');
    expect(await scope.get('k')).toBe('pending');
  } finally {
    await cache.stop();
  }
});

it('is ready once a durable Redis apart answers as well, so that the first write behind is taken', async () => {
  const late = new RedisProcess(await freePort(), ['--save', '']);
  const tiers = createTiers({ redis: server.url, durableRedis: { port: late.port }, prefix: 'late:' });
  opened.push(tiers);
  try {
    await expect(tiers.ready(200)).rejects.toMatchObject({ code: 'ERR_REDIS_UNAVAILABLE' });
    await late.start();
    await tiers.ready('10s');
    expect(await tiers.session('s').writeBehind('k', 1, tiers.writeBehind('q', patient))).toBeGreaterThan(0);
  } finally {
    await late.stop();
  }
});
