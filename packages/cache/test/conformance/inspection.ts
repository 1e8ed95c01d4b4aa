import { randomBytes } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from 'vitest';
import { until } from '../../../../test/servers/index.ts';
import type { CacheChange, ListKeysOptions, ListedKey, Tiers } from '../../src/index.ts';

const name = (): string => randomBytes(5).toString('hex');

/** All pages of a listing, and how many there were. */
async function listed(tiers: Tiers, options: ListKeysOptions): Promise<{ keys: ListedKey[]; pages: number }> {
  const keys: ListedKey[] = [];
  let pages = 0;
  let cursor: string | undefined;
  do {
    const page = await tiers.inspection.keys({ ...options, cursor });
    expect(page.keys.length).toBeLessThanOrEqual(options.limit ?? 100);
    keys.push(...page.keys);
    cursor = page.cursor;
    pages++;
  } while (cursor !== undefined);
  return { keys, pages };
}

/** What operators are told, whatever the backend. */
export function inspectionConformance(tiersOf: () => Tiers): void {
  describe('inspection', () => {
    it('lists the keys of one scope, of all scopes of a tier, and of the root, and nothing else', async () => {
      const tiers = tiersOf();
      const [one, two, run] = [name(), name(), name()];
      await tiers.project(one).set(`${run}:a`, 1);
      await tiers.project(one).set([run, 'b:c', 'd e'], 2);
      await tiers.project(one).set('other', 2);
      await tiers.project(two).set(`${run}:a`, 3);
      await tiers.global.set(`${run}:root`, 4);
      await tiers.session(one).set(`${run}:a`, 5);
      const pattern = `${run}:*`;
      const found = async (place: ListKeysOptions): Promise<string[]> => {
        const { keys } = await listed(tiers, { pattern, ...place });
        return [...new Set(keys.map(({ tier, scope, key }) => `${tier} ${scope} ${key}`))].sort();
      };
      const first = [`project ${one} ${run}:a`, `project ${one} ${run}:b%3Ac:d%20e`];
      expect(await found({ tier: 'project', scope: one })).toEqual(first);
      expect(await found({ tier: 'project' })).toEqual([...first, `project ${two} ${run}:a`].sort());
      expect(await found({})).toEqual([`global undefined ${run}:root`]);
    });

    it('gives pages of at most the limit which together have every key', async () => {
      const scope = tiersOf().project(name());
      const id = name();
      const target = tiersOf().project(id);
      const names = Array.from({ length: 57 }, (_, index) => `k${index}`);
      await target.setMany(names.map((key) => [key, 1]));
      await scope.set('k', 1);
      for (const limit of [1, 5, 56, 57, 1_000]) {
        const { keys, pages } = await listed(tiersOf(), { tier: 'project', scope: id, limit });
        expect([...new Set(keys.map(({ key }) => key))].sort()).toEqual([...names].sort());
        expect(pages).toBeGreaterThanOrEqual(Math.ceil(57 / limit));
      }
    });

    it('leaves out what was cleared or invalidated by tag, and filters by tag', async () => {
      const tiers = tiersOf();
      const id = name();
      const scope = tiers.project(id);
      await scope.set('tagged', 1, { tags: ['t1', 't2'] });
      await scope.set('plain', 1);
      const keysOf = async (tag?: string): Promise<unknown[]> =>
        (await listed(tiers, { tier: 'project', scope: id, tag })).keys.map(({ key, tags }) => [key, tags]);
      expect(await keysOf('t2')).toEqual([['tagged', ['t1', 't2']]]);
      expect(await keysOf('t3')).toEqual([]);
      await scope.invalidateTags(['t1']);
      expect(await keysOf()).toEqual([['plain', []]]);
      await scope.clear();
      expect(await keysOf()).toEqual([]);
    });

    it.each(['', 'x', 'm', '0', '0-', '0-99999999999999999999', '9-0', '0-0-x', 'm\n', `0-0-0-${'a'.repeat(5_000)}`])(
      'refuses the cursor %j',
      async (cursor) => {
        const asked = tiersOf().inspection.keys({ cursor });
        await expect(asked).rejects.toMatchObject({ code: 'ERR_CACHE_CURSOR' });
      },
    );

    it('refuses places and limits that are none', async () => {
      const { inspection } = tiersOf();
      const refused = { code: 'ERR_CACHE_OPTIONS' };
      await expect(inspection.keys({ limit: 1_001 })).rejects.toMatchObject(refused);
      await expect(inspection.keys({ limit: 0 })).rejects.toMatchObject(refused);
      await expect(inspection.keys({ tier: 'a:b' })).rejects.toMatchObject(refused);
      await expect(inspection.keys({ tier: '*' })).rejects.toMatchObject(refused);
      await expect(inspection.keys({ scope: 'a' })).rejects.toMatchObject(refused);
      await expect(inspection.entry({ tier: 'project', key: 'a' })).rejects.toMatchObject(refused);
      await expect(inspection.delete({ tier: 'project', key: 'a' })).rejects.toMatchObject(refused);
      await expect(inspection.keys({ pattern: 'x'.repeat(10_240) })).rejects.toMatchObject({
        code: 'ERR_PATTERN_INVALID',
      });
      await expect(inspection.entry({ key: '' })).rejects.toMatchObject({ code: 'ERR_KEY_INVALID' });
    });

    it('describes an entry without counting a read', async () => {
      const tiers = tiersOf();
      const id = name();
      const scope = tiers.project(id);
      await scope.set('big:one', { text: 'x'.repeat(500) }, { ttl: '1m', grace: '1m', tags: ['a'] });
      const before = tiers.stats().tiers['project'];
      const entry = await tiers.inspection.entry({ tier: 'project', scope: id, key: 'big:one' });
      expect(entry).toMatchObject({ tier: 'project', scope: id, key: 'big:one', state: 'fresh', tags: ['a'] });
      expect(entry?.ttlMs).toBeGreaterThan(50_000);
      expect(entry?.ttlMs).toBeLessThanOrEqual(60_000);
      expect(entry?.endsInMs).toBeGreaterThan(110_000);
      expect(entry?.bytes).toBeGreaterThan(400);
      expect(entry).not.toHaveProperty('value');
      const withValue = await tiers.inspection.entry({ tier: 'project', scope: id, key: 'big:one' }, { value: true });
      expect(withValue?.value).toEqual({ text: 'x'.repeat(500) });
      expect(tiers.stats().tiers['project']).toEqual(before);
    });

    it('describes what is stale, what is known to be absent, and nothing', async () => {
      const tiers = tiersOf();
      const id = name();
      const scope = tiers.project(id);
      await scope.set('old', 1, { ttl: 1, grace: '1m' });
      await scope.getOrSet('gone', (ctx) => ctx.absent(), { negativeTtl: '1m' });
      const at = (key: string) => tiers.inspection.entry({ tier: 'project', scope: id, key }, { value: true });
      await until('the entry is stale', async () => (await at('old'))?.state === 'stale');
      expect(await at('old')).toMatchObject({ state: 'stale', ttlMs: 0, value: 1 });
      expect(await at('gone')).toMatchObject({ state: 'absent', bytes: 0 });
      expect(await at('gone')).not.toHaveProperty('value');
      expect(await at('none')).toBeUndefined();
    });

    it('finds and deletes every key by the name that was listed, and by what the user wrote', async () => {
      const tiers = tiersOf();
      const id = `${name()}:{*} %41`;
      const scope = tiers.project(id);
      const keys = ['plain:key', 'a b', 'a%20b', 'é?*[{}]', ['a:b', '%', ''.padEnd(3, ':')], 'y'.repeat(2_000)];
      for (const [index, key] of keys.entries()) await scope.set(key, index);
      const list = (await listed(tiers, { tier: 'project', scope: id })).keys;
      expect(new Set(list.map(({ key }) => key)).size).toBe(keys.length);
      const values = new Set<unknown>();
      for (const place of list) values.add((await tiers.inspection.entry(place, { value: true }))?.value);
      expect([...values].sort()).toEqual([0, 1, 2, 3, 4, 5]);
      expect((await tiers.inspection.entry({ tier: 'project', scope: id, key: 'a b' }, { value: true }))?.value).toBe(
        1,
      );
      for (const place of list) expect(await tiers.inspection.delete(place)).toBe(true);
      for (const key of keys) expect(await scope.get(key)).toBeUndefined();
    });

    it('reaches no scope by a name of the root that looks like a hash', async () => {
      const tiers = tiersOf();
      const id = name();
      const long = 'y'.repeat(2_000);
      await tiers.project(id).set(long, 1);
      const [hashed] = (await listed(tiers, { tier: 'project', scope: id })).keys;
      const place = { key: `project:{${id}}:${hashed?.key}` };
      expect(hashed?.key).toContain('%~');
      expect(await tiers.inspection.entry(place)).toBeUndefined();
      expect(await tiers.inspection.delete(place)).toBe(true);
      expect(await tiers.inspection.delete({ tier: 'project', scope: `x}:${hashed?.key}`, key: 'k' })).toBe(true);
      expect(await tiers.project(id).get(long)).toBe(1);
    });

    it('clears a tier with all its scopes and leaves the others', async () => {
      const tiers = tiersOf();
      const own = `tier${name()}`;
      const tier = tiers.tier(own, { ttl: '1m' });
      await tier('a').set('k', 1);
      await tier('b').set('k', 1);
      await tiers.project('kept').set('k', 1);
      expect(await tiers.inspection.clearTier(own)).toBe(true);
      expect(await tier('a').get('k')).toBeUndefined();
      expect(await tier('b').get('k')).toBeUndefined();
      expect(await tiers.project('kept').get('k')).toBe(1);
      expect(tiers.inspection.tiers).toContain(own);
    });

    it('looks into a tier that nobody here uses without learning it', async () => {
      const { inspection } = tiersOf();
      const unknown = `tier${name()}`;
      expect((await inspection.keys({ tier: unknown })).keys).toEqual([]);
      expect(await inspection.entry({ tier: unknown, scope: 'a', key: 'k' })).toBeUndefined();
      expect(await inspection.delete({ tier: unknown, scope: 'a', key: 'k' })).toBe(true);
      expect(await inspection.clearTier(unknown)).toBe(true);
      expect(inspection.tiers).not.toContain(unknown);
      expect(Object.keys(tiersOf().stats().tiers)).not.toContain(unknown);
    });

    it('tells of changes as they happen', async () => {
      const tiers = tiersOf();
      const id = name();
      const changes: CacheChange[] = [];
      const stop = tiers.inspection.onChange((change) => changes.push(change));
      const scope = tiers.project(id);
      const place = { tier: 'project', scope: id, own: true };
      await scope.set('a:b', 1);
      await scope.delete('a:b');
      await scope.invalidateTags(['t']);
      await scope.deleteByPattern('a:*');
      await scope.clear();
      await tiers.global.delete(`${id}:g`);
      await tiers.invalidateTags([`${id}-t`]);
      const expected = [
        { kind: 'keys', ...place, keys: ['a:b'], count: 1 },
        { kind: 'keys', ...place, keys: ['a:b'], count: 1 },
        { kind: 'tags', ...place, tags: ['t'] },
        { kind: 'pattern', ...place, pattern: 'a:*' },
        { kind: 'scope', ...place },
        { kind: 'keys', tier: 'global', own: true, keys: [`${id}:g`], count: 1 },
        { kind: 'tags', own: true, tags: [`${id}-t`] },
      ];
      await until('all changes are heard of', () =>
        expected.every((one) => changes.some((change) => isDeepStrictEqual(change, one))),
      );
      // On a Cluster, messages of different masters have no order among each other.
      for (const change of expected) expect(changes).toContainEqual(change);
      stop();
      const heard = changes.length;
      await scope.set('b', 1);
      await scope.get('b');
      expect(changes.length).toBe(heard);
    });
  });
}
