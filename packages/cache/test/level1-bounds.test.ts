import { randomBytes } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { sharedRedis } from '../../../test/support/shared-redis.ts';
import { createTiers, type Tiers } from '../src/index.ts';

const MAX_ENTRIES = 300;
const MAX_BYTES = 400_000;
const NAMES = 500;

/** What the in-process level held at worst, looked at after every step of every caller. */
interface Most {
  entries: number;
  bytes: number;
  served: number;
}

const servedBy = (tiers: Tiers): number => {
  let served = 0;
  for (let scope = 0; scope < 4; scope++) {
    for (let n = 0; n < NAMES; n++) if (tiers.session(scope).peek(`k${n}`) !== undefined) served++;
  }
  return served;
};

it.each([
  ['entries', 300],
  ['bytes', 6_000],
] as const)('the in-process level keeps its bound of %s at all times, under concurrent load', async (bound, size) => {
  const prefix = `t${randomBytes(6).toString('hex')}:`;
  // A busy machine must not look like Redis away.
  const patient = { redis: sharedRedis(), feedTimeout: '30s' };
  const options = { ...patient, prefix, l1: { maxEntries: MAX_ENTRIES, maxBytes: MAX_BYTES } };
  const instances = [createTiers(options), createTiers(options)];
  const most: Most = { entries: 0, bytes: 0, served: 0 };
  const look = (tiers: Tiers): void => {
    const { entries, bytes } = tiers.stats().l1;
    most.entries = Math.max(most.entries, entries);
    most.bytes = Math.max(most.bytes, bytes);
  };
  await Promise.all(instances.map((tiers) => tiers.ready()));
  const caller = async (tiers: Tiers, seed: number): Promise<void> => {
    const random = fc.sample(fc.nat(2 ** 30), { numRuns: 300, seed });
    for (const [step, number] of random.entries()) {
      const scope = tiers.session(number % 4);
      const name = `k${(number >> 2) % NAMES}`;
      const value = 'x'.repeat((number >> 12) % size);
      const kind = step % 10;
      if (kind < 3) await scope.set(name, value);
      else if (kind < 5) await scope.getOrSet(name, () => value);
      else if (kind === 5)
        await scope.setMany([
          [name, value],
          [`${name}%`, value],
        ]);
      else if (kind === 6) await scope.getMany([name, `k${number % NAMES}`]);
      else if (kind === 7 && step % 70 === 27) await scope.clear();
      else if (kind === 8) await scope.delete(name);
      else await scope.get(name);
      look(tiers);
      if (step % 100 === 0) most.served = Math.max(most.served, servedBy(tiers));
    }
  };
  const running = new AbortController();
  const watch = (async () => {
    while (!running.signal.aborted) {
      for (const tiers of instances) look(tiers);
      await turn();
    }
  })();
  try {
    await Promise.all(instances.flatMap((tiers) => [1, 2, 3, 4, 5, 6].map((seed) => caller(tiers, seed))));
    for (const tiers of instances) {
      expect(servedBy(tiers)).toBeLessThanOrEqual(tiers.stats().l1.entries);
      for (let scope = 0; scope < 4; scope++) await tiers.session(scope).clear();
    }
  } finally {
    running.abort();
    await watch;
    await Promise.all(instances.map((tiers) => tiers.close()));
  }
  expect(most.entries).toBeLessThanOrEqual(MAX_ENTRIES);
  expect(most.bytes).toBeLessThanOrEqual(MAX_BYTES);
  expect(most.served).toBeLessThanOrEqual(MAX_ENTRIES);
  // The load was such that the bound was what held it.
  if (bound === 'entries') expect(most.entries).toBe(MAX_ENTRIES);
  else expect(most.bytes).toBeGreaterThan(MAX_BYTES * 0.95);
  for (const tiers of instances) expect(tiers.stats().l1).toMatchObject({ entries: 0, bytes: 0 });
});

it('the in-process level serves nothing that gave way, and makes room for what is new', async () => {
  const tiers = createTiers({ redis: 'memory', l1: { maxEntries: MAX_ENTRIES } });
  const names = Array.from({ length: 2 * MAX_ENTRIES }, (_, n) => `k${n}`);
  for (const name of names) await tiers.session('cleared').set(name, name);
  await tiers.session('cleared').clear();
  const scope = tiers.session('after');
  for (const name of names) await scope.set(name, name);
  expect(names.filter((name) => scope.peek(name) === name)).toEqual(names.slice(MAX_ENTRIES));
  expect(tiers.stats().l1.entries).toBe(MAX_ENTRIES);
  await tiers.close();
});
