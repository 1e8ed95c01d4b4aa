import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { Redis } from 'ioredis';
import { expect, it } from 'vitest';
import { startProxy, startRedis } from '../../../test/servers/index.ts';
import { ownTimeMs } from '../../../test/support/own-time.ts';
import { sharedRedis } from '../../../test/support/shared-redis.ts';
import { sleep } from '../../../test/support/sleep.ts';
import { createTiers, type Tiers } from '../src/index.ts';

async function instances(count: number, l1: Record<string, never> | false = {}): Promise<Tiers[]> {
  const prefix = `t${randomBytes(6).toString('hex')}:`;
  const made = Array.from({ length: count }, () => createTiers({ redis: sharedRedis(), prefix, l1 }));
  await Promise.all(made.map((tiers) => tiers.ready()));
  return made;
}

it('loads each key once where batches and single loads of three instances overlap at random', async () => {
  const three = await instances(3);
  let round = 0;
  const batch = fc.record({
    instance: fc.nat({ max: 2 }),
    keys: fc.array(fc.nat({ max: 11 }), { maxLength: 12 }),
    startMs: fc.nat({ max: 6 }),
    loadMs: fc.nat({ max: 6 }),
    single: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(batch, { minLength: 2, maxLength: 8 }), async (batches) => {
      const id = `r${round++}`;
      const loads = new Map<number, number>();
      const load = async (keys: readonly string[], ms: number): Promise<string[]> => {
        for (const key of keys) loads.set(Number(key), (loads.get(Number(key)) ?? 0) + 1);
        await sleep(ms);
        return keys.map((key) => `value ${key}`);
      };
      const answers = batches.map(async ({ instance, keys, startMs, loadMs, single }) => {
        await sleep(startMs);
        const scope = three[instance]?.session(id);
        const names = keys.map(String);
        if (!single) return scope?.getOrSetMany(names, (missing) => load(missing, loadMs));
        return Promise.all(
          names.map(async (name) => scope?.getOrSet(name, async () => (await load([name], loadMs))[0])),
        );
      });
      const expected = batches.map(({ keys }) => keys.map((key) => `value ${key}`));
      expect(await Promise.all(answers)).toEqual(expected);
      for (const times of loads.values()) expect(times).toBe(1);
    }),
    { numRuns: 40 },
  );
  await Promise.all(three.map((tiers) => tiers.close()));
});

it('misses no news of a load that ends while the claim of another instance is being answered', async () => {
  const prefix = `t${randomBytes(6).toString('hex')}:`;
  const load = { lease: '8s' };
  const three = [1, 2, 3].map(() => createTiers({ redis: sharedRedis(), prefix, load }));
  await Promise.all(three.map((tiers) => tiers.ready()));
  let longestMs = 0;
  for (let round = 0; round < 80; round++) {
    const startedMs = performance.now();
    const calls = three.map(async (tiers) => {
      await sleep(Math.random() * 6);
      return tiers.session(round).getOrSet('k', () => sleep(Math.random() * 3, 'loaded'));
    });
    expect(await Promise.all(calls)).toEqual(['loaded', 'loaded', 'loaded']);
    longestMs = Math.max(longestMs, performance.now() - startedMs);
  }
  expect(longestMs).toBeLessThan(4_000);
  await Promise.all(three.map((tiers) => tiers.close()));
});

it('stores nothing of a batch for keys that changed on another instance while it ran', async () => {
  const [one, two] = await instances(2);
  const [mine, theirs] = [one?.session('s'), two?.session('s')];
  const values = await mine?.getOrSetMany(['a', 'b', 'c'], async (missing) => {
    await theirs?.set('a', 'newer');
    await theirs?.delete('b');
    return missing.map((key) => `old ${key}`);
  });
  expect(values).toEqual(['old a', 'old b', 'old c']);
  expect(await mine?.getMany(['a', 'b', 'c'])).toEqual(['newer', undefined, 'old c']);
  await Promise.all([one?.close(), two?.close()]);
});

it('asks Redis once for many keys, and not at all for what is loading here', async () => {
  const server = await startRedis();
  const raw = new Redis(server.url);
  const tiers = createTiers({ redis: server.url });
  await tiers.ready();
  const calls = async (command: string): Promise<number> => {
    const stats = await raw.info('commandstats');
    return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
  };
  const keys = Array.from({ length: 400 }, (_, n) => `k${n}`);
  for (const scope of [tiers.session('s'), tiers.global]) {
    await scope.getMany(keys);
    const before = await calls('mget');
    await scope.getMany(keys);
    expect(await calls('mget')).toBe(before + 1);
    let again: Promise<unknown> | undefined;
    await scope.getOrSetMany(keys, async (missing) => {
      again = scope.getOrSetMany(keys, () => []);
      await sleep(5);
      return missing;
    });
    expect(await again).toEqual(keys);
    expect(await calls('mget')).toBe(before + 2);
  }
  raw.disconnect();
  await tiers.close();
  await server.stop();
});

it('loads in one call while Redis is frozen, after one deadline', async () => {
  const server = await startRedis();
  const link = await startProxy({ target: { port: server.port } });
  const tiers = createTiers({ redis: link.url });
  await tiers.ready();
  const scope = tiers.session('s');
  link.drop();
  const sizes: number[] = [];
  const keys = Array.from({ length: 250 }, (_, n) => `k${n}`);
  const values = scope.getOrSetMany(keys, (missing) => {
    sizes.push(missing.length);
    return missing;
  });
  expect(await ownTimeMs(() => values)).toBeLessThan(550);
  expect(await values).toEqual(keys);
  expect(sizes).toEqual([250]);
  await tiers.close();
  await link.stop();
  await server.stop();
});
