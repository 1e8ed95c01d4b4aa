import { expect, it } from 'vitest';
import { startCluster, until } from '../../../test/servers/index.ts';
import { ownTimeMs } from '../../../test/support/own-time.ts';
import { sleep } from '../../../test/support/sleep.ts';
import type { LoaderContext } from '../src/index.ts';
import { ownRedis } from './support/own-redis.ts';

const own = ownRedis();

it('falls to the first level, then to what is stale within its grace, then to the loader, while Redis is away', async () => {
  const tiers = await own.tiersAt(own.link.url);
  const scope = tiers.session('s');
  await scope.set('graced', 'old', { ttl: 600, grace: '1m' });
  await scope.set('plain', 'old', { ttl: 600 });
  for (const key of ['graced', 'plain']) expect(await scope.get(key)).toBe('old');
  own.link.drop();
  for (const key of ['graced', 'plain']) expect(await scope.getOrSet(key, () => 'loaded')).toBe('old');
  await sleep(620);
  expect(await scope.getOrSet('graced', () => 'loaded')).toBe('old');
  expect(await scope.get('graced')).toBe('old');
  expect(await scope.getOrSet('plain', () => 'loaded')).toBe('loaded');
  expect(tiers.stats().tiers['session']?.staleServed).toBeGreaterThan(0);
  // What this instance changed is older than nothing.
  expect(await scope.delete('graced')).toBe(false);
  expect(await scope.getOrSet('graced', () => 'loaded')).toBe('loaded');
});

it('goes on without a Redis that is slower than redisTimeout, and gives back a lease that comes late', async () => {
  const tiers = await own.tiersAt(own.link.url, { tiers: { session: { ttl: '1m', redisTimeout: 40 } }, l1: false });
  const scope = tiers.session('s');
  await scope.set('k', 'stored');
  // A script that the server does not know would take a second round trip, and with it all of the command's deadline.
  await scope.getOrSet('known', () => 'script');
  own.link.latency(100);
  const asking = async () => {
    expect(await scope.get('k')).toBeUndefined();
    expect(await scope.getMany(['k'])).toEqual([undefined]);
    expect(await scope.getOrSet('late', () => 'loaded')).toBe('loaded');
  };
  expect(await ownTimeMs(asking)).toBeLessThan(290);
  await sleep(500);
  await own.link.normal();
  // Otherwise the lease would last for 3 seconds.
  const backMs = performance.now();
  expect(await scope.getOrSet('late', () => 'again')).toBe('again');
  expect(performance.now() - backMs).toBeLessThan(1_500);
});

it('stores what has tags under redisTimeout as well', async () => {
  const tiers = await own.tiersAt(
    { url: own.link.url, commandTimeout: '5s', socketTimeout: '9s' },
    { feedTimeout: '20s' },
  );
  const scope = tiers.session('s');
  await scope.getOrSet('known', () => 'script', { tags: ['t'] });
  // Where the tags stand is known, but no table of them lasts for so long.
  const options = { tags: ['t'], ttl: '30d', redisTimeout: 500 } as const;
  let loadedMs = Infinity;
  const loader = (): string => {
    own.link.latency(2_000);
    loadedMs = performance.now();
    return 'loaded';
  };
  expect(await scope.getOrSet('k', loader, options)).toBe('loaded');
  expect(performance.now() - loadedMs).toBeLessThan(1_800);
  await own.link.normal();
});

it('does not wait before a load for tags of everywhere that Redis is too slow to tell', async () => {
  const cluster = await startCluster();
  try {
    const redis = { cluster: cluster.nodes, commandTimeout: '5s', socketTimeout: '9s' } as const;
    const tiers = await own.tiersAt(redis, { feedTimeout: '20s' });
    const away = await cluster.masterOf('{tierkit}tags');
    const ids = Array.from({ length: 50 }, (_, n) => n);
    const masters = await Promise.all(ids.map(async (id) => cluster.masterOf(`session:{${id}}:k`)));
    const scope = tiers.session(ids.find((id) => masters[id] !== away) ?? -1);
    await scope.set('warm', 1);
    cluster.processes[away]?.signal('SIGSTOP');
    const startMs = performance.now();
    const options = { tags: ['t'], redisTimeout: 500 } as const;
    expect(await scope.getOrSet('k', () => 'loaded', options)).toBe('loaded');
    expect(performance.now() - startMs).toBeLessThan(2_500);
    cluster.processes[away]?.signal('SIGCONT');
  } finally {
    await cluster.stop();
  }
});

it('runs no more loads in the background than allowed, and ends them on close', async () => {
  const tiers = await own.tiersAt(own.server.url, { load: { maxBackground: 3 } });
  const scope = tiers.session('s');
  const keys = Array.from({ length: 8 }, (_, n) => `k${n}`);
  for (const key of keys) await scope.set(key, 'old', { ttl: 30, grace: '1m' });
  await sleep(60);
  let running = 0;
  let aborted = 0;
  const hang = ({ signal }: LoaderContext): Promise<string> => {
    running++;
    return new Promise((_, reject) => {
      signal.addEventListener('abort', () => {
        aborted++;
        reject(signal.reason as Error);
      });
    });
  };
  const options = { grace: '1m', softTimeout: 0 } as const;
  for (let round = 0; round < 2; round++) {
    const answers = await Promise.all(keys.map((key) => scope.getOrSet(key, hang, options)));
    expect(new Set(answers)).toEqual(new Set(['old']));
  }
  expect(running).toBe(3);
  const startMs = performance.now();
  await tiers.close();
  expect(performance.now() - startMs).toBeLessThan(1_500);
  expect(aborted).toBe(3);
});

it('does not wait on close for a background load that ignores its signal', async () => {
  const tiers = await own.tiersAt('memory');
  const scope = tiers.session('s');
  await scope.set('k', 'old', { ttl: 10, grace: '1m' });
  await sleep(20);
  const never = (): Promise<string> => new Promise(() => {});
  expect(await scope.getOrSet('k', never, { grace: '1m', softTimeout: 5 })).toBe('old');
  const startMs = performance.now();
  await tiers.close();
  expect(performance.now() - startMs).toBeLessThan(1_500);
});

it('refreshes what another instance loaded, once for both', async () => {
  const tier = { tiers: { session: { ttl: '2s', refreshAhead: 0.2 } } };
  const [one, two] = await Promise.all([own.tiersAt(own.server.url, tier), own.tiersAt(own.server.url, tier)]);
  let loads = 0;
  const load = async (): Promise<number> => {
    await sleep(20);
    return ++loads;
  };
  const scopes = [one, two].map((tiers) => tiers.session('s'));
  for (const scope of scopes) expect(await scope.getOrSet('k', load)).toBe(1);
  await sleep(450);
  for (const scope of scopes) expect(await scope.getOrSet('k', load)).toBe(1);
  await until('both have the new value', async () => {
    const values = await Promise.all(scopes.map((scope) => scope.getOrSet('k', load)));
    return values.every((value) => value === 2);
  });
  expect(loads).toBe(2);
});
