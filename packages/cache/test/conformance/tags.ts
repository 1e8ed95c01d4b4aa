import { expect, it } from 'vitest';
import { sleep } from '../../../../test/support/sleep.ts';
import { namesIn } from './names-in.ts';
import type { Subject } from './subject.ts';

/** What every backend promises of tags. */
export function tagsConformance({ fresh, tiers }: Subject): void {
  it('ends the entries of a scope that have an invalidated tag, however they were stored, and no others', async () => {
    const [one, two] = [fresh(), fresh()];
    for (const scope of [one, two]) {
      await scope.set('set', 1, { tags: ['tree', 'user:42'] });
      await scope.setMany(Object.entries({ 'many:1': 2, 'many:2': 3 }), { tags: ['tree'] });
      await scope.getOrSet('loaded', () => 4, { tags: ['tree', 'other'] });
      await scope.set('other tag', 5, { tags: ['other'] });
      await scope.set('no tag', 6);
    }
    const keys = ['set', 'many:1', 'many:2', 'loaded', 'other tag', 'no tag'];
    for (let read = 0; read < 2; read++) expect(await one.getMany(keys)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(await one.invalidateTags(['tree', 'never used'])).toBe(true);
    expect(await Promise.all(keys.map((key) => one.get(key)))).toEqual([...Array<undefined>(4), 5, 6]);
    expect(await one.getMany(keys)).toEqual([...Array<undefined>(4), 5, 6]);
    for (const key of keys.slice(0, 4)) {
      expect([key, one.peek(key), await one.has(key), await one.ttl(key)]).toEqual([key, undefined, false, undefined]);
    }
    expect((await namesIn(one)).toSorted()).toEqual(['no tag', 'other tag']);
    expect(await two.getMany(keys)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('ends tagged entries of all scopes and tiers at once', async () => {
    const scopes = [fresh(), fresh(), tiers().project('tagged'), tiers().global];
    for (const scope of scopes) {
      await scope.set('tagged:k', 1, { tags: ['everywhere'] });
      await scope.set('tagged:kept', 2, { tags: ['another'] });
    }
    for (const scope of scopes) expect(await scope.getMany(['tagged:k', 'tagged:kept'])).toEqual([1, 2]);
    expect(await tiers().invalidateTags(['everywhere'])).toBe(true);
    for (const scope of scopes) expect(await scope.getMany(['tagged:k', 'tagged:kept'])).toEqual([undefined, 2]);
    await tiers().global.set('tagged:k', 3, { tags: ['everywhere'] });
    await tiers().global.invalidateTags(['another']);
    expect(await tiers().global.getMany(['tagged:k', 'tagged:kept'])).toEqual([3, undefined]);
    expect(await scopes[0]?.get('tagged:kept')).toBe(2);
  });

  it('stores anew under a tag that was invalidated, and forgets the tags of what is overwritten', async () => {
    const scope = fresh();
    for (let round = 0; round < 3; round++) {
      expect(await scope.getOrSet('loaded', () => round, { tags: ['t'] })).toBe(round);
      expect(await scope.set('set', round, { tags: ['t'] })).toBe(true);
      for (let read = 0; read < 2; read++) expect(await scope.getMany(['loaded', 'set'])).toEqual([round, round]);
      expect(await scope.getOrSet('loaded', () => 'other', { tags: ['t'] })).toBe(round);
      await scope.invalidateTags(['t']);
      expect(await scope.getMany(['loaded', 'set'])).toEqual([undefined, undefined]);
    }
    await scope.set('set', 'tagged', { tags: ['t'] });
    await scope.set('set', 'plain');
    await scope.invalidateTags(['t']);
    expect(await scope.get('set')).toBe('plain');
  });

  it.each(['scope', 'everywhere'])('does not store a load that brings a tag invalidated since (%s)', async (where) => {
    const scope = fresh();
    await scope.set('used before', 1, { tags: ['t'] });
    for (const tag of ['t', 'first used here', 't']) {
      const { loader, began, finish } = slowLoad('older');
      const older = scope.getOrSet('v', loader, { tags: [tag] });
      await began;
      await (where === 'scope' ? scope : tiers()).invalidateTags([tag]);
      finish();
      expect(await older).toBe('older');
      expect(await scope.get('v')).toBeUndefined();
      expect(await scope.getOrSet('v', () => 'newer', { tags: [tag] })).toBe('newer');
      expect(await scope.get('v')).toBe('newer');
      await scope.delete('v');
    }
  });

  it('takes tags from the loader, and does not store what they were invalidated for meanwhile', async () => {
    const scope = fresh();
    for (const where of [scope, tiers()]) {
      await scope.getOrSet('v', (ctx) => ctx.value(1, { tags: ['loaded'] }), { tags: ['given'] });
      expect(await scope.get('v')).toBe(1);
      await where.invalidateTags(['loaded']);
      expect(await scope.get('v')).toBeUndefined();
      await scope.getOrSet('v', (ctx) => ctx.value(2, { tags: ['loaded'] }), { tags: ['given'] });
      await where.invalidateTags(['given']);
      expect(await scope.get('v')).toBeUndefined();
      await scope.getOrSet('absent', (ctx) => ctx.absent({ tags: ['loaded'] }));
      const { loader, began, finish } = slowLoad('older');
      const older = scope.getOrSet('v', async (ctx) => ctx.value(await loader(), { tags: ['loaded'] }));
      await began;
      await where.invalidateTags(['loaded']);
      finish();
      expect(await older).toBe('older');
      expect(await scope.get('v')).toBeUndefined();
      expect(await scope.getOrSet('absent', () => 'there now')).toBe('there now');
      await scope.delete('absent');
    }
  });

  it('never serves as stale what a tag ended', async () => {
    for (const [name, where] of [
      ['scope', undefined],
      ['everywhere', tiers()],
    ] as const) {
      const scope = fresh();
      const fail = () => Promise.reject(new Error(name));
      const options = { ttl: 30, grace: '1m', tags: ['t'] };
      for (const key of ['v', 'w']) await scope.getOrSet(key, () => 'stale', options);
      await sleep(50);
      expect(await scope.getOrSet('v', fail, options)).toBe('stale');
      await (where ?? scope).invalidateTags(['t']);
      await expect(scope.getOrSet('v', fail, options)).rejects.toThrow(name);
      const seen: unknown[] = [];
      await scope.getOrSet('w', (ctx) => seen.push(ctx.stale), options);
      expect(seen).toEqual([undefined]);
    }
  });

  it('does not let a caller join a load that began before a tag was invalidated', async () => {
    const scope = fresh();
    const { loader, began, finish } = slowLoad('older');
    void scope.getOrSet('v', loader, { tags: ['t'] });
    await began;
    await scope.invalidateTags(['t']);
    const joined = scope.getOrSet('v', () => 'newer', { tags: ['t'] });
    finish();
    expect(await joined).toBe('newer');
  });

  it('keeps all tags that concurrent callers of one load give', async () => {
    const scope = fresh();
    const load = () => sleep(20).then(() => 1);
    await Promise.all([scope.getOrSet('v', load, { tags: ['a'] }), scope.getOrSet('v', load, { tags: ['b'] })]);
    expect(await scope.get('v')).toBe(1);
    await scope.invalidateTags(['b']);
    expect(await scope.get('v')).toBeUndefined();
  });

  it('invalidates what follows from tags of any text', async () => {
    const scope = fresh();
    await scope.set('a', 1, { tags: ['user: one'] });
    await scope.invalidateTags(['all%']);
    expect(await scope.get('a')).toBeUndefined();
  });

  it('invalidates what a tag implies, in circles as well', async () => {
    const scope = fresh();
    const chain = ['org', 'team', 'user', 'unrelated'];
    for (const tag of chain) await scope.set(tag, tag, { tags: [tag] });
    await scope.invalidateTags(['team']);
    expect(await scope.getMany(chain)).toEqual(['org', undefined, undefined, 'unrelated']);
    for (const tag of chain) await scope.set(tag, tag, { tags: [tag] });
    await tiers().invalidateTags(['org']);
    expect(await scope.getMany(chain)).toEqual([undefined, undefined, undefined, 'unrelated']);
  });

  it('tells apart tags that look alike, and keeps them from being keys', async () => {
    const scope = fresh();
    const tags = ['a b', 'a%20b', 'a\nb', ' at', ' epoch', '{floor}', 'ü', 'x'.repeat(512), 'a:b', '__proto__'];
    for (const tag of tags) await scope.set(['k', tag], tag, { tags: [tag] });
    await scope.set('all', 1, { tags });
    expect(await scope.getMany(tags.map((tag) => ['k', tag]))).toEqual(tags);
    await scope.set('a:b', 'a key');
    for (const tag of tags) {
      await scope.invalidateTags([tag]);
      expect([tag, await scope.get(['k', tag]), await scope.get('all')]).toEqual([tag, undefined, undefined]);
      await scope.set('all', 1, { tags });
      const left = await scope.getMany(tags.slice(tags.indexOf(tag) + 1).map((other) => ['k', other]));
      expect(left).toEqual(tags.slice(tags.indexOf(tag) + 1));
    }
    expect(await scope.get('a:b')).toBe('a key');
  });

  it.each<[unknown]>([[['']], [['x'.repeat(513)]], [['\ud800']], [[1]], ['t'], [{}]])(
    'refuses %j as tags',
    async (tags) => {
      const scope = fresh();
      const refused = expect.objectContaining({ code: 'ERR_CACHE_TAGS' }) as Error;
      await expect(scope.set('k', 1, { tags: tags as never })).rejects.toThrow(refused);
      await expect(scope.setMany([['k', 1]], { tags: tags as never })).rejects.toThrow(refused);
      await expect(scope.getOrSet('k', () => 1, { tags: tags as never })).rejects.toThrow(refused);
      await expect(scope.invalidateTags(tags as never)).rejects.toThrow(refused);
      await expect(tiers().invalidateTags(tags as never)).rejects.toThrow(refused);
      expect(await scope.has('k')).toBe(false);
    },
  );

  it('bounds how many tags an entry has, and a call invalidates', async () => {
    const scope = fresh();
    const tags = (count: number) => Array.from({ length: count }, (_, n) => `t${n}`);
    await expect(scope.set('k', 1, { tags: tags(65) })).rejects.toMatchObject({ code: 'ERR_CACHE_TAGS' });
    await expect(scope.invalidateTags(tags(1_001))).rejects.toMatchObject({ code: 'ERR_CACHE_TAGS' });
    await scope.set('k', 1, { tags: tags(64) });
    expect(await scope.get('k')).toBe(1);
    expect(await scope.invalidateTags(tags(1_000))).toBe(true);
    expect(await scope.get('k')).toBeUndefined();
    expect(await scope.invalidateTags([])).toBe(true);
  });
}

/** A loader that tells when it began, and ends when it is told to. */
function slowLoad<T>(value: T): { loader: () => Promise<T>; began: Promise<void>; finish: () => void } {
  let begin = (): void => {};
  let finish = (): void => {};
  const began = new Promise<void>((resolve) => (begin = resolve));
  const finished = new Promise<void>((resolve) => (finish = resolve));
  const loader = async (): Promise<T> => {
    begin();
    await finished;
    return value;
  };
  return { loader, began, finish: () => finish() };
}
