import { expect, it } from 'vitest';
import { namesIn } from './names-in.ts';
import type { Subject } from './subject.ts';

/** What every backend promises of clearing, deleting by pattern and listing keys. */
export function clearingConformance({ fresh, tiers }: Subject): void {
  it('clears a scope and nothing else, and can be written again', async () => {
    const [one, two] = [fresh(), fresh()];
    await one.setMany([
      ['a', 1],
      ['b', 2],
    ]);
    await two.set('a', 3);
    await tiers().global.set('cleared', 4);
    expect(await one.clear()).toBe(true);
    expect(await one.getMany(['a', 'b'])).toEqual([undefined, undefined]);
    expect(await one.has('a')).toBe(false);
    expect(await one.ttl('a')).toBeUndefined();
    expect(await namesIn(one)).toEqual([]);
    expect((await one.deleteByPattern('*', { dryRun: true })).deleted).toBe(0);
    expect(await two.get('a')).toBe(3);
    expect(await tiers().global.get('cleared')).toBe(4);
    await one.set('a', 5);
    expect(await one.get('a')).toBe(5);
    expect(await namesIn(one)).toEqual(['a']);
  });

  it('clears the global tier without touching scopes', async () => {
    const scope = fresh();
    await scope.set('a', 1);
    await tiers().global.setMany([
      ['g:1', 1],
      ['g:2', 2],
    ]);
    expect(await tiers().global.clear()).toBe(true);
    expect(await tiers().global.getMany(['g:1', 'g:2'])).toEqual([undefined, undefined]);
    expect(await namesIn(tiers().global, 'g:*')).toEqual([]);
    expect(await scope.get('a')).toBe(1);
    await tiers().global.set('g:1', 3);
    expect(await tiers().global.get('g:1')).toBe(3);
  });

  it('deletes by pattern within the scope, with a count and a dry run', async () => {
    const [one, two] = [fresh(), fresh()];
    const keys = ['file:1', 'file:2', 'file:[x]', 'other'];
    for (const scope of [one, two]) await scope.setMany(keys.map((key) => [key, key] as const));
    expect(await one.deleteByPattern('file:*', { dryRun: true })).toEqual({ deleted: 3, confirmed: true });
    const told: number[] = [];
    const onProgress = (deleted: number): void => {
      told.push(deleted);
      throw new Error('nobody listens');
    };
    expect(await one.deleteByPattern('file:*', { dryRun: true, onProgress })).toEqual({
      deleted: 3,
      confirmed: true,
    });
    expect(told.at(-1)).toBe(3);
    expect(await one.deleteByPattern('file:[x]')).toEqual({ deleted: 1, confirmed: true });
    expect(await one.deleteByPattern('file:?')).toEqual({ deleted: 2, confirmed: true });
    expect(await namesIn(one)).toEqual(['other']);
    expect(await one.get('file:1')).toBeUndefined();
    expect((await namesIn(two)).toSorted()).toEqual(keys.toSorted());
    expect(await one.deleteByPattern('*:{*')).toEqual({ deleted: 0, confirmed: true });
    await expect(one.deleteByPattern('')).rejects.toMatchObject({ code: 'ERR_PATTERN_INVALID' });
  });

  it('deletes by pattern in the global tier without touching scopes or counters of its own', async () => {
    const scope = fresh();
    await scope.set('model:x', 1);
    await tiers().global.setMany([
      ['model:gpt:1', 1],
      ['model:gpt:2', 2],
      ['model:other', 3],
    ]);
    expect(await tiers().global.deleteByPattern('model:gpt:*')).toEqual({ deleted: 2, confirmed: true });
    expect(await tiers().global.get('model:other')).toBe(3);
    await tiers().global.deleteByPattern('*');
    expect(await tiers().global.get('model:other')).toBeUndefined();
    expect(await scope.get('model:x')).toBe(1);
  });

  it('lists keys as they were given', async () => {
    const scope = fresh();
    await scope.setMany([
      ['plain', 1],
      ['with space', 2],
      ['a:b', 3],
      [['a:b', 'c'], 4],
    ]);
    const listed = [];
    for await (const key of scope.keys()) listed.push(key);
    expect(listed).toHaveLength(4);
    expect(listed).toEqual(expect.arrayContaining(['plain', 'with space', 'a:b', ['a:b', 'c']]));
    for (const key of listed) expect(await scope.has(key)).toBe(true);
  });
}
