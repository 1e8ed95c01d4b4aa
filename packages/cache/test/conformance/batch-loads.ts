import { expect, it } from 'vitest';
import { sleep } from '../../../../test/support/sleep.ts';
import type { Subject } from './subject.ts';

/** What every backend promises of loads of many keys, and results by content. */
export function batchLoadsConformance({ fresh }: Subject): void {
  it('loads what is missing of many in one call, and reports failures by key', async () => {
    const scope = fresh();
    await scope.set('a', 1);
    const asked: unknown[] = [];
    const load = async (missing: readonly unknown[]) => {
      asked.push(missing);
      await sleep(5);
      return missing.map((key) =>
        key === 'bad' ? new Error('no') : key === 'none' ? undefined : `loaded ${String(key)}`,
      );
    };
    const keys = ['a', 'b', 'bad', 'none', 'b', 'c d'];
    const expected = [1, 'loaded b', new Error('no'), undefined, 'loaded b', 'loaded c d'];
    expect(await scope.getOrSetMany(keys, load)).toEqual(expected);
    expect(asked).toEqual([['b', 'bad', 'none', 'c d']]);
    expect(await scope.getMany(['b', 'bad', 'none', 'c d'])).toEqual(['loaded b', undefined, undefined, 'loaded c d']);
    expect(await scope.getOrSetMany([], load)).toEqual([]);
    const failing = () => Promise.reject(new Error('all down'));
    expect(await scope.getOrSetMany(['a', 'x', 'y'], failing)).toEqual([
      1,
      new Error('all down'),
      new Error('all down'),
    ]);
    const [short] = await scope.getOrSetMany(['s', 't'], () => [1]);
    expect(short).toMatchObject({ code: 'ERR_BATCH_RESULT' });
  });

  it('shares loads between batches that overlap and single callers', async () => {
    const scope = fresh();
    const asked: string[] = [];
    const load = async (missing: readonly string[]) => {
      asked.push(...missing);
      await sleep(20);
      return missing;
    };
    const calls = [
      scope.getOrSetMany(['a', 'b'], load),
      scope.getOrSetMany(['b', 'c'], load),
      scope.getOrSet('c', async () => (await load(['c']))[0]),
      scope.getOrSetMany(['a', 'c'], load),
    ];
    expect(await Promise.all(calls)).toEqual([['a', 'b'], ['b', 'c'], 'c', ['a', 'c']]);
    expect(asked.toSorted()).toEqual(['a', 'b', 'c']);
  });

  it('takes a Map from a batch loader, and keys of several segments', async () => {
    const scope = fresh();
    const keys = Array.from({ length: 250 }, (_, n) => ['k', n] as const);
    const sizes: number[] = [];
    const load = (missing: readonly (readonly ['k', number])[]) => {
      sizes.push(missing.length);
      return new Map(missing.toReversed().map((key) => [key, key[1] === 7 ? undefined : { n: key[1] }]));
    };
    const values = await scope.getOrSetMany(keys, load);
    expect(values.map((value) => (value instanceof Error ? value : value?.n))).toEqual(
      keys.map(([, n]) => (n === 7 ? undefined : n)),
    );
    await scope.getOrSetMany(keys, load);
    expect(sizes).toEqual([250, 1]);
    expect(await scope.get('k:249')).toEqual({ n: 249 });
    await expect(scope.getOrSetMany(['fine', ''], () => [1])).rejects.toMatchObject({ code: 'ERR_KEY_INVALID' });
  });

  it('keeps results by content, normalised, language and version', async () => {
    const scope = fresh();
    const results = scope.content('analysis', { language: 'ts', version: 3 });
    expect(await results.getOrSet('a \r\nb', () => ({ line: 2 }))).toEqual({ line: 2 });
    expect(await results.get(Buffer.from('a\nb'))).toEqual({ line: 2 });
    expect(await results.get('a\n b')).toBeUndefined();
    expect(await scope.content('analysis', { language: 'ts', version: 4 }).get('a\nb')).toBeUndefined();
    expect(await scope.content('analysis', { language: 'js', version: 3 }).get('a\nb')).toBeUndefined();
    expect(await scope.get(results.keyOf('a\nb'))).toEqual({ line: 2 });
    expect(await results.delete('a\t\rb')).toBe(true);
    expect(await results.get('a\nb')).toBeUndefined();
    await expect(results.get(5 as never)).rejects.toMatchObject({ code: 'ERR_CONTENT_INVALID' });
  });
}
