import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { sharedRedis } from '../../../test/support/shared-redis.ts';
import { sleep } from '../../../test/support/sleep.ts';
import { createCache, createTiers, type EntryDefinition, type Tiers } from '../src/index.ts';

let one: Tiers;
let two: Tiers;

beforeAll(async () => {
  const prefix = `t${randomBytes(6).toString('hex')}:`;
  one = createTiers({ redis: sharedRedis(), prefix });
  two = createTiers({ redis: sharedRedis(), prefix });
  await Promise.all([one.ready(), two.ready()]);
});
afterAll(() => Promise.all([one.close(), two.close()]));

it('shares a load between instances, and drops on one what the other changed', async () => {
  let loads = 0;
  const define = (tiers: Tiers) =>
    tiers.global.define({ name: 'n', key: (id: string) => ['n', id], load: async () => sleep(30, ++loads) });
  const [a, b] = [define(one), define(two)];
  expect(await Promise.all([a.get('1'), b.get('1')])).toEqual([1, 1]);
  await a.invalidate(['1']);
  await expect.poll(() => b.peek('1'), { interval: 1 }).toBeUndefined();
  expect(await b.get('1')).toBe(2);
  await b.set('1', 9);
  await expect.poll(async () => a.get('1'), { interval: 1 }).toBe(9);
});

it('replaces, once for two instances, what another release stored', async () => {
  let loads = 0;
  const schema = z.object({ v2: z.boolean() });
  const define = (tiers: Tiers) =>
    tiers.global.define({ name: 'doc', key: 'doc', schema, load: async () => sleep(20, { v2: ++loads > 0 }) });
  await one.global.set('doc', { v1: true });
  // A deletion by the second instance may void the load of the first: at most one load each, and never the old value.
  expect(await Promise.all([define(one).get(), define(two).get()])).toEqual([{ v2: true }, { v2: true }]);
  expect(loads).toBeLessThanOrEqual(2);
  expect(await two.global.get('doc')).toEqual({ v2: true });
});

it('loads when the old value keeps coming back: at least a miss, never the refused value', async () => {
  const cache = createCache({ redis: 'memory' });
  const schema = z.string();
  const entry = cache.define({
    name: 'fight',
    key: 'fight',
    schema,
    load: () => {
      setImmediate(() => void cache.set('fight', 1));
      return 'right';
    },
  });
  for (let round = 0; round < 50; round++) {
    expect(['right', undefined]).toContain(await entry.get());
    await sleep(0);
  }
  await cache.close();
});

it('checks a value that cannot change once only', async () => {
  let checks = 0;
  const cache = createCache({ redis: 'memory' });
  const schema = z.object({ n: z.number() }).refine(() => ++checks > 0);
  const entry = cache.define({ name: 'checked', key: (id: string) => id, schema, load: async () => ({ n: 1 }) });
  await entry.get('a');
  checks = 0;
  for (let read = 0; read < 10; read++) expect(await entry.get('a')).toEqual({ n: 1 });
  expect(checks).toBeLessThanOrEqual(1);
  expect(entry.peek('a')).toEqual({ n: 1 });
  const slow = cache.define({ name: 'slow', key: 'a', schema: schema.refine(async () => true) });
  expect(slow.peek()).toBeUndefined();
  expect(await slow.get()).toEqual({ n: 1 });
  expect(slow.peek()).toEqual({ n: 1 });
  await cache.close();
});

it('gives each scope of a tier its entry, and tells the loader which one', async () => {
  const tree = one.project.define({
    name: 'tree',
    key: (branch: string) => ['tree', branch],
    load: async (project, branch) => `${project}@${branch}`,
  });
  expect(await tree('p1').get('main')).toBe('p1@main');
  expect(await tree('p2').get('main')).toBe('p2@main');
  expect(await two.project('p1').get('tree:main')).toBe('p1@main');
  await one.project('p1').clear();
  expect(await one.project('p1').get('tree:main')).toBeUndefined();
  expect(await two.project('p2').get('tree:main')).toBe('p2@main');
});

it.each<[string, object]>([
  ['name', { name: '', key: 'k' }],
  ['key', { name: 'x' }],
  ['load', { name: 'x', key: 'k', load: 'no' }],
  ['schema', { name: 'x', key: 'k', schema: {} }],
])('refuses a definition with a bad %s', (option, definition) => {
  const define = () => one.global.define(definition as EntryDefinition<void, unknown>);
  expect(define).toThrow(expect.objectContaining({ code: 'ERR_CACHE_OPTIONS', details: { option } }));
  expect(() => one.project.define(definition as never)).toThrow(expect.objectContaining({ code: 'ERR_CACHE_OPTIONS' }));
});
