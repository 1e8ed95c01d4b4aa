import { once } from 'node:events';
import fc from 'fast-check';
import { afterAll, expect, it } from 'vitest';
import { until } from '../../../test/servers/index.ts';
import { createTiers, type LoaderContext } from '../src/index.ts';
import { SuccessorTable } from '../src/warming/successor-table.ts';

const tiers = createTiers({ redis: 'memory', l1: { maxEntries: 3 } });
afterAll(() => tiers.close());
let count = 0;

it('fetches what usually follows, once it has followed twice, and counts what was of use', async () => {
  const loads: string[] = [];
  const scope = tiers.project(count++);
  const file = scope.define({
    name: 'file',
    key: (id: string) => ['file', id],
    load: (id) => (loads.push(id), `text ${id}`),
    prefetch: true,
  });
  for (let tour = 0; tour < 2; tour++) for (const id of ['a', 'b', 'c']) await file.get(id);
  expect(file.prefetched).toEqual({ begun: 0, used: 0 });
  await scope.clear();
  loads.length = 0;
  await file.get('a');
  await until('the next one is there', () => file.peek('b') === 'text b');
  expect(loads).toEqual(['a', 'b']);
  expect(await file.get('b')).toBe('text b');
  await until('and the one after it', () => file.peek('c') === 'text c');
  expect(loads).toEqual(['a', 'b', 'c']);
  expect(file.prefetched).toEqual({ begun: 2, used: 1 });
});

it('is off by default, shares what it learned between the scopes of a tier, and never rejects', async () => {
  const plain = tiers.project(count++).define({ name: 'x', key: (id: string) => id, load: (id) => id });
  for (const id of ['a', 'b', 'a', 'b', 'a', 'b']) await plain.get(id);
  expect(plain.prefetched).toBeUndefined();
  const files = tiers.tier('project').define({
    name: 'file',
    key: (id: string) => ['file', id],
    load: (scope, id) => {
      if (id === 'b' && scope === 'other') throw new Error('no b here');
      return id;
    },
    prefetch: { minShare: 1 },
  });
  for (let tour = 0; tour < 3; tour++) for (const id of ['a', 'b']) await files('one').get(id);
  expect(await files('other').get('a')).toBe('a');
  expect(files('other').prefetched?.begun).toBe(1);
  await expect(files('other').get('b')).rejects.toThrow('no b here');
});

it('begins no more fetches than its concurrency', async () => {
  const release: (() => void)[] = [];
  const slow = tiers.project(count++).define({
    name: 'slow',
    key: (id: string) => id,
    load: (id) => (learning ? id : new Promise<string>((done) => release.push(() => done(id)))),
    prefetch: { concurrency: 1 },
  });
  let learning = true;
  for (let tour = 0; tour < 2; tour++) for (const id of ['a', 'b', 'c', 'd']) await slow.get(id);
  await tiers.project(count - 1).clear();
  learning = false;
  const calls = [slow.get('a'), slow.get('c')];
  expect(slow.prefetched?.begun).toBe(1);
  await until('they load', () => release.length === 3);
  for (const done of release) done();
  await Promise.all(calls);
});

it('rejects a bad id once, with nothing left that nobody handles', async () => {
  const unhandled: unknown[] = [];
  const note = (error: unknown) => void unhandled.push(error);
  process.on('unhandledRejection', note);
  const entry = tiers.project(count++).define({
    name: 'x',
    key: (id: string) => ['x', id],
    load: (id) => id,
    prefetch: true,
  });
  await expect(entry.get('')).rejects.toMatchObject({ code: 'ERR_KEY_INVALID' });
  await new Promise((resolve) => setImmediate(resolve));
  process.off('unhandledRejection', note);
  expect(unhandled).toEqual([]);
});

it.each(['of a scope', 'of a tier'])('ends a fetch for a definition %s when the cache is closed', async (where) => {
  const own = createTiers({ redis: 'memory' });
  let learning = true;
  let ended: unknown;
  const load = async (id: string, { signal }: LoaderContext): Promise<string> => {
    if (!learning && id === 'b') await once(signal, 'abort').then(() => (ended = signal.reason));
    return id;
  };
  const rest = { name: 'x', key: (id: string) => id, prefetch: true };
  const entry =
    where === 'of a scope'
      ? own.project('p').define({ ...rest, load })
      : own.project.define({ ...rest, load: (_, id: string, context) => load(id, context) })('p');
  for (let tour = 0; tour < 2; tour++) for (const id of ['a', 'b']) await entry.get(id);
  await own.project('p').clear();
  learning = false;
  await entry.get('a');
  expect(entry.prefetched?.begun).toBe(1);
  await own.close();
  expect(ended).toMatchObject({ code: 'ERR_CACHE_CLOSED' });
  expect(await entry.get('a')).toBe('a');
  expect(entry.prefetched?.begun).toBe(1);
});

it('refuses options that make no sense', () => {
  const scope = tiers.project(count++);
  for (const prefetch of [{ maxIds: 0 }, { concurrency: 1.5 }, { minShare: 0 }, { minShare: 2 }])
    expect(() => scope.define({ name: 'x', key: (id: string) => id, prefetch })).toThrow(
      expect.objectContaining({ code: 'ERR_CACHE_OPTIONS' }),
    );
});

it('predicts only what followed in enough cases, from a table of bounded size', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat({ max: 20 }), { maxLength: 300 }),
      fc.integer({ min: 1, max: 8 }),
      fc.double({ min: 0.1, max: 1, noNaN: true }),
      (accesses, maxNames, minShare) => {
        const table = new SuccessorTable<number>(maxNames);
        const pairs = new Map<string, number>();
        let previous: number | undefined;
        for (const id of accesses) {
          if (previous !== undefined) pairs.set(`${previous} ${id}`, (pairs.get(`${previous} ${id}`) ?? 0) + 1);
          previous = id;
          table.observe(String(id), id);
          expect(table.size).toBeLessThanOrEqual(maxNames);
          const next = table.likely(String(id), minShare);
          if (next !== undefined) expect(pairs.get(`${id} ${next}`)).toBeGreaterThanOrEqual(2);
        }
      },
    ),
  );
  const table = new SuccessorTable<string>(10);
  for (const id of 'abacabadab') table.observe(id, id);
  expect(table.likely('a', 0.6)).toBe('b');
  expect(table.likely('a', 0.7)).toBeUndefined();
});
