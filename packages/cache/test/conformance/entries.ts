import { expect, it } from 'vitest';
import { sleep } from '../../../../test/support/sleep.ts';
import type { Subject } from './subject.ts';

/** What every backend promises of values, keys and times to live. */
export function entriesConformance({ fresh, tiers, l1 }: Subject): void {
  it('answers a miss with undefined and a stored value with its equal', async () => {
    const scope = fresh();
    expect(await scope.get('a')).toBeUndefined();
    expect(await scope.set('a', { b: [1, 'two', null] })).toBe(true);
    expect(await scope.get('a')).toEqual({ b: [1, 'two', null] });
  });

  it.each([
    [null],
    [0],
    [-0],
    [''],
    [false],
    [Number.NaN],
    [12n],
    [new Date(5)],
    [new Map([[1, { a: 2 }]])],
    [new Set(['x'])],
  ])('keeps %o as a value of its type', async (value) => {
    const scope = fresh();
    await scope.set('v', value);
    for (let read = 0; read < 2; read++) expect(await scope.get('v')).toStrictEqual(value);
    expect(await scope.getOrSet('v', () => 'other')).toStrictEqual(value);
    expect(await scope.has('v')).toBe(true);
  });

  it('keeps a Buffer as a Buffer', async () => {
    const scope = fresh();
    await scope.set('v', Buffer.from([0, 255]));
    const back = await scope.get<Buffer>('v');
    expect(Buffer.isBuffer(back)).toBe(true);
    expect([...(back ?? [])]).toEqual([0, 255]);
  });

  it('refuses undefined and what cannot come back', async () => {
    const scope = fresh();
    await expect(scope.set('v', undefined)).rejects.toMatchObject({ code: 'ERR_VALUE_UNSUPPORTED' });
    await expect(scope.set('v', () => 1)).rejects.toMatchObject({ code: 'ERR_VALUE_UNSUPPORTED' });
    expect(await scope.has('v')).toBe(false);
  });

  it.each([[''], [[]], [['a', '']]])('refuses %o as a key', async (key) => {
    const scope = fresh();
    await expect(scope.get(key)).rejects.toMatchObject({ code: 'ERR_KEY_INVALID' });
    await expect(scope.set(key, 1)).rejects.toMatchObject({ code: 'ERR_KEY_INVALID' });
    await expect(scope.getOrSet(key, () => 1)).rejects.toMatchObject({ code: 'ERR_KEY_INVALID' });
    await expect(scope.delete(key)).rejects.toMatchObject({ code: 'ERR_KEY_INVALID' });
  });

  it('tells apart keys that look alike once encoded', async () => {
    const scope = fresh();
    const keys = [
      'a b',
      'a%20b',
      'a%2520b',
      ['a b'],
      'a:b',
      ['a:b'],
      ['a', 'b', 'c'],
      'a:b%3Ac',
      '{a}',
      'a*',
      'ü',
      'a\u0000b',
    ];
    for (const [index, key] of keys.entries()) await scope.set(key, index);
    // These two are one key by definition.
    const expected = [...keys.keys()].map((index) => (index === 0 ? 3 : index));
    for (let read = 0; read < 2; read++) expect(await Promise.all(keys.map((key) => scope.get(key)))).toEqual(expected);
    expect(await scope.getMany(keys)).toEqual(expected);
  });

  it('keeps scopes and tiers apart', async () => {
    const [one, two] = [fresh(), fresh()];
    await one.set('k', 1);
    expect(await two.get('k')).toBeUndefined();
    expect(await tiers().project('p').get('k')).toBeUndefined();
    expect(await tiers().global.get('k')).toBeUndefined();
    await tiers().global.set('k', 'global');
    expect(await one.get('k')).toBe(1);
  });

  it('hands out values that nobody can change under another', async () => {
    const scope = fresh();
    const given = { list: [1], when: new Date(0) };
    await scope.set('v', given);
    given.list.push(2);
    const first = await scope.get<typeof given>('v');
    expect(first).toEqual({ list: [1], when: new Date(0) });
    // Without L1 nobody shares the value, so there is no need to freeze it.
    const change = (): number => (first as typeof given).list.push(3);
    if (!l1) change();
    else expect(change).toThrow(TypeError);
    (first as typeof given).when.setTime(99);
    expect(await scope.get('v')).toEqual({ list: [1], when: new Date(0) });
    expect(Object.isFrozen(given)).toBe(false);
    const copy = await scope.get<typeof given>('v', { copy: true });
    copy?.list.push(4);
    expect(copy?.list).toEqual([1, 4]);
    expect(await scope.get('v')).toEqual({ list: [1], when: new Date(0) });
  });

  it('never freezes what a loader made, and hands out its equal', async () => {
    const scope = fresh();
    const made = { list: [1] };
    const loaded = await scope.getOrSet('v', () => made);
    expect(loaded).toEqual(made);
    expect(Object.isFrozen(loaded)).toBe(true);
    made.list.push(2);
    expect(await scope.get('v')).toEqual({ list: [1] });
  });

  it('counts time to live, by the tier or by the call', async () => {
    const scope = fresh();
    await scope.set('tier', 1);
    expect(await scope.ttl('tier')).toBeGreaterThan(295_000);
    expect(await scope.ttl('tier')).toBeLessThanOrEqual(300_000);
    expect(await scope.ttl('none')).toBeUndefined();
    await scope.set('call', 1, { ttl: '20s' });
    expect(await scope.ttl('call')).toBeLessThanOrEqual(20_000);
    expect(await scope.get('call')).toBe(1);
    await scope.set('short', 1, { ttl: 100 });
    await sleep(120);
    expect(await scope.get('short')).toBeUndefined();
    expect(await scope.ttl('short')).toBeUndefined();
    expect(await scope.has('short')).toBe(false);
  });

  it.each([[0], [-1], ['5'], ['x'], [Number.NaN], [Infinity]])('refuses %o as a time to live', async (ttl) => {
    await expect(fresh().set('k', 1, { ttl })).rejects.toMatchObject({ code: 'ERR_DURATION_INVALID' });
  });

  it('stores, reads and deletes many', async () => {
    const scope = fresh();
    const entries = Array.from({ length: 1_200 }, (_, n) => [`k${n}`, n] as const);
    expect(await scope.setMany(entries)).toBe(true);
    expect(await scope.getMany(['k0', 'none', 'k1199', 'k0'])).toEqual([0, undefined, 1199, 0]);
    expect(await scope.deleteMany(entries.slice(0, 1_100).map(([key]) => key))).toBe(true);
    expect(await scope.getMany(['k0', 'k1099', 'k1100'])).toEqual([undefined, undefined, 1100]);
    expect(await scope.getMany([])).toEqual([]);
    expect(await scope.setMany([])).toBe(true);
  });

  it('peeks at the in-process level only', async () => {
    const scope = fresh();
    expect(scope.peek('v')).toBeUndefined();
    await scope.set('v', { a: 1 });
    await scope.get('v');
    expect(scope.peek('v')).toEqual(!l1 ? undefined : { a: 1 });
    await scope.delete('v');
    expect(scope.peek('v')).toBeUndefined();
  });
}
