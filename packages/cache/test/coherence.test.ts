import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { startRedis } from '../../../test/servers/index.ts';
import { ownTimeMs } from '../../../test/support/own-time.ts';
import { sharedRedis } from '../../../test/support/shared-redis.ts';
import { sleep } from '../../../test/support/sleep.ts';
import { createTiers, type Scope, type Tiers } from '../src/index.ts';

let one: Tiers;
let two: Tiers;

beforeAll(async () => {
  const prefix = `t${randomBytes(6).toString('hex')}:`;
  one = createTiers({ redis: sharedRedis(), prefix });
  two = createTiers({ redis: sharedRedis(), prefix });
  await Promise.all([one.ready(), two.ready()]);
});
afterAll(() => Promise.all([one.close(), two.close()]));

async function goneWithinMs(peek: () => unknown): Promise<number> {
  const startMs = performance.now();
  while (peek() !== undefined) {
    if (performance.now() - startMs > 1_000) throw new Error('still there after a second');
    await new Promise((resolve) => setImmediate(resolve));
  }
  return performance.now() - startMs;
}

/** Reads until the entry stays: the news of the write that made it may still be on its way. */
async function kept(scope: Scope, key: string, value: unknown): Promise<void> {
  const startMs = performance.now();
  do {
    if (performance.now() - startMs > 1_000) throw new Error('never kept');
    await scope.get(key);
    await sleep(2);
  } while (scope.peek(key) !== value);
}

it.each<[string, (tiers: Tiers) => Promise<unknown>]>([
  ['set', (tiers) => tiers.session('c').set('k', 2)],
  [
    'setMany',
    (tiers) =>
      tiers.session('c').setMany([
        ['k', 2],
        ['other', 3],
      ]),
  ],
  ['delete', (tiers) => tiers.session('c').delete('k')],
  ['deleteMany', (tiers) => tiers.session('c').deleteMany(['x', 'k'])],
  ['clear', (tiers) => tiers.session('c').clear()],
  ['deleteByPattern', (tiers) => tiers.session('c').deleteByPattern('*k*')],
])('drops the entry on the other instance after %s', async (_, change) => {
  const theirs = two.session('c');
  for (const key of ['k', 'with space k']) {
    await theirs.set(key, 1);
    await kept(theirs, key, 1);
  }
  await change(one);
  await goneWithinMs(() => theirs.peek('k'));
});

it('drops entries of the global tier on the other instance', async () => {
  await two.global.set('model:1', 1);
  await kept(two.global, 'model:1', 1);
  await one.global.set('model:1', 2);
  await goneWithinMs(() => two.global.peek('model:1'));
  expect(await two.global.get('model:1')).toBe(2);
  await one.global.clear();
  await goneWithinMs(() => two.global.peek('model:1'));
  await sleep(10);
  expect(await two.global.get('model:1')).toBeUndefined();
  await two.global.set('model:1', 3);
  expect(await one.global.get('model:1')).toBe(3);
});

it('does not drop entries of other scopes', async () => {
  await two.session('kept').set('k', 1);
  await two.session('kept').get('k');
  await one.session('other').set('k', 1);
  await one.session('other').clear();
  await one.global.deleteByPattern('*');
  await sleep(20);
  expect(two.session('kept').peek('k')).toBe(1);
});

it('never lets an entry outlive its time in Redis', async () => {
  const theirs = two.session('ttl');
  for (let round = 0, held = 0; held < 10; round++) {
    await one.session('ttl').set('k', round, { ttl: 150 });
    const storedMs = performance.now();
    const isHeld = await kept(theirs, 'k', round).then(
      () => true,
      () => false,
    );
    // A busy machine may take longer than its time to hold it at all.
    if (!isHeld) continue;
    held++;
    let servedMs = storedMs;
    // To the end of its time, however early it goes: late news, or a gap of it, may take it away before.
    for (let nowMs = storedMs; nowMs - storedMs < 156; nowMs = performance.now()) {
      if (theirs.peek('k') !== undefined) servedMs = nowMs;
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(servedMs - storedMs).toBeLessThanOrEqual(151);
    expect(await theirs.get('k')).toBeUndefined();
  }
});

it('loads once for two instances, and wakes the one that waits', async () => {
  let loads = 0;
  const load = async (): Promise<number> => {
    await sleep(60);
    return ++loads;
  };
  const answers = Promise.all([one, two].map((tiers) => tiers.project('load').getOrSet('k', load)));
  expect(await ownTimeMs(() => answers)).toBeLessThan(150);
  expect(await answers).toEqual([1, 1]);
  expect(loads).toBe(1);
});

it('does not trust what it knew of the global tier before a gap of the feed', async () => {
  // A server of its own, as the subscribers of tests beside this one would be killed too.
  const server = await startRedis();
  onTestFinished(() => server.stop());
  const raw = new Redis(server.url);
  const [one, two] = [createTiers({ redis: server.url }), createTiers({ redis: server.url })];
  onTestFinished(async () => void (await Promise.all([one.close(), two.close()])));
  await Promise.all([one.ready(), two.ready()]);
  for (let round = 0; round < 10; round++) {
    await two.global.set('gap', round);
    expect(await two.global.get('gap')).toBe(round);
    await raw.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await one.global.clear();
    // The end of the connection takes a moment to be seen.
    await sleep(20);
    await Promise.all([one.ready(), two.ready()]);
    expect(await two.global.get('gap')).toBeUndefined();
  }
  raw.disconnect();
});
