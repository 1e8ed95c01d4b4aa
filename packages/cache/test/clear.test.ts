import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, expect, inject, it } from 'vitest';
import { until } from '../../../test/servers/index.ts';
import { startProxy, startRedis, type StandaloneRedis } from '../../../test/servers/index.ts';
import { sharedRedis } from '../../../test/support/shared-redis.ts';
import { sleep } from '../../../test/support/sleep.ts';
import { createTiers, type Tiers } from '../src/index.ts';

let prefix: string;
let raw: Redis;
let tiers: Tiers;

beforeEach(async () => {
  prefix = `t${randomBytes(6).toString('hex')}:`;
  raw = new Redis(inject('redisUrl'));
  tiers = createTiers({ redis: sharedRedis(), prefix, reclaim: '50ms' });
  await tiers.ready();
});
afterEach(async () => {
  await tiers.close();
  raw.disconnect();
});

async function rawKeys(client: Redis, match: string): Promise<string[]> {
  const found: string[] = [];
  for await (const keys of client.scanStream({ match, count: 1_000 })) found.push(...(keys as string[]));
  return found;
}

/** The commands that a server ran, scripts counted as the commands in them. */
async function commandCounts(client: Redis): Promise<Map<string, number>> {
  const stats = await client.info('commandstats');
  return new Map(
    [...stats.matchAll(/cmdstat_(\S+?):calls=(\d+)/g)].map(([, name, calls]) => [name ?? '', Number(calls)]),
  );
}

it.each(['session', 'global'] as const)('costs the same commands for 10 keys as for 50,000 (%s)', async (tier) => {
  // A server of its own, so that nobody else's commands count.
  const server: StandaloneRedis = await startRedis();
  const own = createTiers({ redis: { url: server.url, commandTimeout: '5s' }, reclaim: false });
  const client = new Redis(server.url);
  try {
    await own.ready();
    // The script is known to the server from here on.
    await own.session('first').clear();
    const costs: string[] = [];
    for (const size of [10, 50_000]) {
      const scope = tier === 'session' ? own.session(`s${size}`) : own.global;
      for (let from = 0; from < size; from += 5_000) {
        const count = Math.min(5_000, size - from);
        expect(await scope.setMany(Array.from({ length: count }, (_, n) => [`k${from + n}`, n] as const))).toBe(true);
      }
      await client.config('RESETSTAT');
      expect(await scope.clear()).toBe(true);
      const counts = await commandCounts(client);
      // A busy process may even lose its feed meanwhile, and subscribe anew.
      const background = [
        'config|resetstat',
        'info',
        'publish',
        'time',
        'ping',
        'hello',
        'client|setinfo',
        'subscribe',
      ];
      for (const name of background) counts.delete(name);
      costs.push(JSON.stringify([...counts].toSorted()));
      expect(await scope.get('k1')).toBeUndefined();
    }
    expect(costs[1]).toBe(costs[0]);
  } finally {
    await own.close();
    client.disconnect();
    await server.stop();
  }
});

it.each(['session', 'global'] as const)(
  'reclaims the memory of cleared entries, and of nothing else (%s)',
  async (tier) => {
    const scope = tier === 'session' ? tiers.session('s') : tiers.global;
    const other = tiers.session('other');
    await other.set('keep', 1);
    await raw.set(`${prefix}foreign`, 'no entry');
    await raw.lpush(`${prefix}list`, 'no string');
    await scope.setMany(Array.from({ length: 3_000 }, (_, n) => [`k${n}`, n] as const));
    expect((await rawKeys(raw, `${prefix}*k*`)).length).toBeGreaterThanOrEqual(3_000);
    await scope.clear();
    await scope.set('after', 2);
    await until('the cleared entries are gone', async () => (await rawKeys(raw, `${prefix}*k[0-9]*`)).length === 0);
    expect(await scope.get('after')).toBe(2);
    expect(await other.get('keep')).toBe(1);
    expect(await raw.get(`${prefix}foreign`)).toBe('no entry');
    expect(await raw.llen(`${prefix}list`)).toBe(1);
  },
);

it('reclaims after many clears at the cost of one', async () => {
  const server = await startRedis();
  const client = new Redis(server.url);
  const own = createTiers({ redis: server.url, reclaim: '300ms' });
  try {
    await own.ready();
    const scope = own.project('p');
    for (let clears = 0; clears < 100; clears++) {
      await scope.set('a', clears);
      await scope.clear();
    }
    await scope.setMany(Array.from({ length: 1_000 }, (_, n) => [`k${n}`, n] as const));
    await client.config('RESETSTAT');
    await sleep(1_000);
    // A script for each key, not for each key and clear.
    expect((await commandCounts(client)).get('evalsha') ?? 0).toBeLessThan(2_500);
    expect(await scope.get('k1')).toBe(1);
  } finally {
    await own.close();
    client.disconnect();
    await server.stop();
  }
});

it('gives every key that it writes a time to live', async () => {
  await tiers.session('s').set('a', 1);
  await tiers.global.setMany([
    ['a', 1],
    ['b', 2],
  ]);
  await tiers.global.clear();
  await tiers.project('p').getOrSet('c', () => 1);
  let finish: ((value: number) => void) | undefined;
  const during = tiers.project('p').getOrSet('slow', () => new Promise<number>((done) => (finish = done)));
  await until('the load runs', () => finish !== undefined);
  const keys = await rawKeys(raw, `${prefix}*`);
  expect(keys.length).toBeGreaterThanOrEqual(6);
  // -1 is no time to live; what was cleared may be gone by now.
  for (const key of keys) expect([key, await raw.pttl(key)]).not.toEqual([key, -1]);
  finish?.(1);
  await during;
});

it.each(['session', 'global'] as const)('keeps a generation as long as what was loaded under it (%s)', async (tier) => {
  const scope = tier === 'session' ? tiers.session('s') : tiers.global;
  await scope.getOrSet('long', () => 1, { ttl: '30d' });
  const generation = `${prefix}${tier === 'session' ? 'session:{s}' : '{tierkit}generation:global'}`;
  expect(await raw.pttl(generation)).toBeGreaterThanOrEqual(30 * 86_400_000);
});

it('shows a write to the global tier that another instance cleared a moment before', async () => {
  const link = await startProxy({ target: { port: Number(new URL(inject('redisUrl')).port) } });
  const late = createTiers({ redis: { url: link.url, commandTimeout: '5s', socketTimeout: '9s' }, prefix });
  await late.ready();
  await late.global.set('k', 1);
  // News of the clear comes late to the one that writes.
  link.latency(60);
  expect(await tiers.global.clear()).toBe(true);
  expect(await late.global.set('k', 2, { required: true })).toBe(true);
  expect(await tiers.global.get('k')).toBe(2);
  await sleep(200);
  expect(await late.global.get('k')).toBe(2);
  await late.close();
  await link.stop();
});

it('keeps a generation at least as long as the entries under it', async () => {
  const scope = tiers.session('s');
  await scope.set('short', 1, { ttl: '1s' });
  await scope.set('long', 1, { ttl: '30d' });
  expect(await raw.pttl(`${prefix}session:{s}`)).toBeGreaterThanOrEqual(30 * 86_400_000);
  await scope.set('short', 1, { ttl: '1s' });
  expect(await raw.pttl(`${prefix}session:{s}`)).toBeGreaterThanOrEqual(30 * 86_400_000 - 60_000);
});

it.each(['session', 'global'] as const)('never brings entries back when the generation is lost (%s)', async (tier) => {
  const scope = tier === 'session' ? tiers.session('s') : tiers.global;
  const reader = createTiers({ redis: sharedRedis(), prefix, l1: false });
  await reader.ready();
  const seen = tier === 'session' ? reader.session('s') : reader.global;
  await scope.set('old', 1);
  const generationKey = tier === 'session' ? `${prefix}session:{s}` : `${prefix}{tierkit}generation:global`;
  expect(await raw.del(generationKey)).toBe(1);
  if (tier === 'global') await new Promise((resolve) => setTimeout(resolve, 3_100));
  await scope.set('new', 2);
  expect(await seen.get('old')).toBeUndefined();
  if (tier === 'session') expect(await seen.get('new')).toBe(2);
  await reader.close();
});

it('puts a clear in order with sets that are under way on other instances', async () => {
  const writer = createTiers({ redis: sharedRedis(), prefix });
  await writer.ready();
  for (let round = 0; round < 50; round++) {
    const scopes = [tiers.session('race'), writer.session('race')] as const;
    const writes = Array.from({ length: 10 }, (_, n) => scopes[1].set(`k${n}`, round));
    const cleared = scopes[0].clear();
    await Promise.all([...writes, cleared]);
    await new Promise((resolve) => setTimeout(resolve, 5));
    const keys = Array.from({ length: 10 }, (_, n) => `k${n}`);
    expect(await scopes[0].getMany(keys)).toEqual(await scopes[1].getMany(keys));
    await scopes[0].clear();
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(await scopes[1].getMany(keys)).toEqual(keys.map(() => undefined));
  }
  await writer.close();
});
