import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../../test/servers/index.ts';
import { stalenessConformance } from './conformance-staleness.ts';
import { createTiers, type LoaderContext, type Tiers, type TiersOptions } from '../src/index.ts';
import { definitionConformance } from './definition-conformance.ts';
import { inspectionConformance } from './inspection-conformance.ts';
import { repositoryConformance } from './repository-conformance.ts';

const CASCADE = {
  org: ['team'],
  team: ['user'],
  user: ['team'],
  'all%': ['team one'],
  'team one': ['user: one'],
};

/** On a busy machine replies take long; what is promised when they take too long has tests of its own. */
export const PATIENT = { commandTimeout: 3_000, socketTimeout: 6_000 } as const;

export interface ConformanceTarget {
  readonly name: string;
  /** What to pass as `redis`. */
  readonly redis: () => Promise<TiersOptions['redis']>;
}

interface Deferred {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
}

function deferred(): Deferred {
  let resolve = (): void => {};
  const promise = new Promise<void>((done) => (resolve = done));
  return { promise, resolve };
}

/** What every backend promises: one test for each sentence that a user can rely on. */
export function cacheConformance(target: ConformanceTarget): void {
  describe.each<[string, { l1?: false }]>([
    ['with L1', {}],
    ['without L1', { l1: false }],
  ])(`${target.name} %s`, (_, options) => {
    let tiers: Tiers;
    let count = 0;
    const fresh = () => tiers.session(`s${count++}`);

    beforeAll(async () => {
      const prefix = `t${randomBytes(6).toString('hex')}:`;
      tiers = createTiers({ redis: await target.redis(), prefix, reclaim: '50ms', cascade: CASCADE, ...options });
      await tiers.ready('10s');
    });
    afterAll(() => tiers.close());

    definitionConformance(fresh);
    repositoryConformance(fresh);
    inspectionConformance(() => tiers);

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
      for (let read = 0; read < 2; read++)
        expect(await Promise.all(keys.map((key) => scope.get(key)))).toEqual(expected);
      expect(await scope.getMany(keys)).toEqual(expected);
    });

    it('keeps scopes and tiers apart', async () => {
      const [one, two] = [fresh(), fresh()];
      await one.set('k', 1);
      expect(await two.get('k')).toBeUndefined();
      expect(await tiers.project('p').get('k')).toBeUndefined();
      expect(await tiers.global.get('k')).toBeUndefined();
      await tiers.global.set('k', 'global');
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
      if (options.l1 === false) change();
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

    it('loads once for concurrent callers, and not at all on a hit', async () => {
      const scope = fresh();
      let loads = 0;
      const loader = async () => {
        loads++;
        await sleep(20);
        return { n: loads };
      };
      const answers = await Promise.all(Array.from({ length: 50 }, () => scope.getOrSet('v', loader)));
      expect(new Set(answers.map((answer) => answer.n))).toEqual(new Set([1]));
      expect(await scope.getOrSet('v', loader)).toEqual({ n: 1 });
      expect(loads).toBe(1);
    });

    it('passes the error of a loader to all who waited, and stores nothing', async () => {
      const scope = fresh();
      let loads = 0;
      const loader = async () => {
        loads++;
        await sleep(5);
        throw new Error('down');
      };
      const calls = await Promise.allSettled([scope.getOrSet('v', loader), scope.getOrSet('v', loader)]);
      expect(calls.map((call) => call.status)).toEqual(['rejected', 'rejected']);
      expect(loads).toBe(1);
      expect(await scope.has('v')).toBe(false);
    });

    it('returns a loaded value that cannot be stored', async () => {
      const scope = fresh();
      const value = { run: () => 1 };
      expect(await scope.getOrSet('v', () => value)).toBe(value);
      expect(await scope.getOrSet('u', () => undefined)).toBeUndefined();
      expect(await scope.has('v')).toBe(false);
      expect(await scope.has('u')).toBe(false);
    });

    it('does not store a load that began before a set, a delete or a clear', async () => {
      const changes: [string, (scope: ReturnType<typeof fresh>) => Promise<unknown>, unknown][] = [
        ['set', (scope) => scope.set('v', 'newer'), 'newer'],
        ['delete', (scope) => scope.delete('v'), undefined],
        ['clear', (scope) => scope.clear(), undefined],
        ['deleteByPattern', (scope) => scope.deleteByPattern('v*'), undefined],
      ];
      for (const [name, change, expected] of changes) {
        const scope = fresh();
        let finish: (() => void) | undefined;
        const began = new Promise<void>((resolve) => {
          void scope.getOrSet('v', () => {
            resolve();
            return new Promise((done) => (finish = () => done('older')));
          });
        });
        await began;
        await change(scope);
        finish?.();
        await sleep(30);
        expect([name, await scope.get('v')]).toEqual([name, expected]);
        expect([name, await scope.getOrSet('v', () => 'loaded again')]).toEqual([name, expected ?? 'loaded again']);
      }
    });

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
      expect(await scope.getMany(['b', 'bad', 'none', 'c d'])).toEqual([
        'loaded b',
        undefined,
        undefined,
        'loaded c d',
      ]);
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

    it('warms what is missing, with bounded concurrency, and tells how far it is', async () => {
      const scope = fresh();
      await scope.set('there', 'kept');
      let running = 0;
      let most = 0;
      const load = async (value: unknown) => {
        most = Math.max(most, ++running);
        await Promise.all([until('as many as may run', () => most >= 3), sleep(2)]);
        running--;
        if (value === 3) throw new Error('three');
        return value;
      };
      async function* entries(): AsyncGenerator<readonly [string, unknown]> {
        yield ['there', 'newer'];
        yield ['given', { a: 1 }];
        yield ['absent', (context: LoaderContext) => context.absent()];
        for (let n = 0; n < 10; n++) yield [`n${n}`, () => load(n)];
      }
      const progress: number[] = [];
      const failed: unknown[] = [];
      const result = await scope.warm(entries(), {
        concurrency: 3,
        onProgress: ({ loaded, present, absent, failed: lost }) => progress.push(loaded + present + absent + lost),
        onError: (key, error) => failed.push(key, (error as Error).message),
      });
      expect(result).toEqual({ loaded: 10, present: 1, absent: 1, failed: 1, complete: true });
      expect(progress).toEqual(Array.from({ length: 13 }, (_, n) => n + 1));
      expect(failed).toEqual(['n3', 'three']);
      expect(most).toBe(3);
      expect(await scope.getMany(['there', 'given', 'absent', 'n3', 'n9'])).toEqual([
        'kept',
        { a: 1 },
        undefined,
        undefined,
        9,
      ]);
    });

    it('warms keys in batches, stops at a signal, and passes on what its source throws', async () => {
      const scope = fresh();
      await scope.set('k7', 'there');
      const keys = Array.from({ length: 50 }, (_, n) => `k${n}`);
      const sizes: number[] = [];
      const load = (missing: readonly string[]) => {
        sizes.push(missing.length);
        return missing.map((key) => (key === 'k9' ? new Error('nine') : key));
      };
      const result = await scope.warm(keys, { load, batchSize: 20 });
      expect(result).toEqual({ loaded: 48, present: 1, absent: 0, failed: 1, complete: true });
      expect(sizes.toSorted((a, b) => a - b)).toEqual([10, 19, 20]);
      const stop = new AbortController();
      const stopped = await scope.warm(
        keys.map((key) => [`s${key}`, key] as const),
        { concurrency: 1, signal: stop.signal, onProgress: ({ loaded }) => loaded === 5 && stop.abort() },
      );
      expect(stopped).toEqual({ loaded: 5, present: 0, absent: 0, failed: 0, complete: false });
      function* broken(): Generator<readonly [string, number]> {
        yield ['x', 1];
        throw new Error('source');
      }
      await expect(scope.warm(broken())).rejects.toThrow('source');
      expect(await scope.get('x')).toBe(1);
      await expect(scope.warm([], { concurrency: 0 })).rejects.toMatchObject({ code: 'ERR_CACHE_OPTIONS' });
    });

    it('ends a warming whose source stalls, at its signal, its failure or the end of the cache', async () => {
      const scope = fresh();
      let release = (): void => {};
      const left: string[] = [];
      async function* stalled(name: string): AsyncGenerator<string> {
        try {
          yield `${name} 1`;
          await new Promise<void>((resolve) => (release = resolve));
          yield `${name} 2`;
        } finally {
          left.push(name);
        }
      }
      async function* pairs(name: string): AsyncGenerator<readonly [string, unknown]> {
        for await (const key of stalled(name)) yield [key, 1];
      }
      const stop = new AbortController();
      const warming = [
        scope.warm(pairs('pairs'), { signal: stop.signal }),
        scope.warm(stalled('keys'), { signal: stop.signal, load: (keys) => keys }),
      ];
      await until('the first entry is there', () => scope.has('pairs 1'));
      stop.abort();
      const counts = { present: 0, absent: 0, failed: 0, complete: false };
      expect(await Promise.all(warming)).toEqual([
        { ...counts, loaded: 1 },
        { ...counts, loaded: 0 },
      ]);
      const onProgress = () => {
        throw new Error('no progress');
      };
      await expect(scope.warm(pairs('failing'), { onProgress })).rejects.toThrow('no progress');
      release();
      await until('the source was ended', () => left.includes('failing'));
      const other = createTiers({ redis: await target.redis(), prefix: `t${randomBytes(6).toString('hex')}:` });
      await other.ready();
      const ending = other.session('s').warm(pairs('closing'));
      await until('the first entry is there', () => other.session('s').has('closing 1'));
      await other.close();
      expect(await ending).toEqual({ ...counts, loaded: 1 });
      expect(await scope.warm(pairs('late'), { signal: stop.signal })).toEqual({ ...counts, loaded: 0 });
    });

    it('runs a scheduled task at once and then at its interval, until it is stopped', async () => {
      const times: number[] = [];
      const schedule = tiers.schedule(`task${count++}`, { every: '60ms' }, () => void times.push(performance.now()));
      await until('it ran three times', () => times.length >= 3);
      schedule.stop();
      const ran = times.length;
      for (let run = 1; run < ran; run++) expect((times[run] ?? 0) - (times[run - 1] ?? 0)).toBeGreaterThan(40);
      await sleep(150);
      expect(times).toHaveLength(ran);
      expect(() => tiers.schedule('x', { every: 0 }, () => {})).toThrow(
        expect.objectContaining({ code: 'ERR_DURATION_INVALID' }),
      );
    });

    it('writes through: the source first, then the cache', async () => {
      const scope = fresh();
      await scope.set('v', 'old');
      const seen: unknown[] = [];
      const save = async (value: string) => {
        seen.push(value, await scope.get('v'));
        return 7;
      };
      expect(await scope.writeThrough('v', 'new', save)).toEqual({ saved: 7, stored: true, confirmed: true });
      expect(seen).toEqual(['new', undefined]);
      expect(await scope.get('v')).toBe('new');
      await expect(scope.writeThrough('v', 'x', () => Promise.reject(new Error('down')))).rejects.toThrow('down');
      expect(await scope.get('v')).toBeUndefined();
      let saves = 0;
      const refused = scope.writeThrough(
        'v',
        () => 1,
        () => void saves++,
      );
      await expect(refused).rejects.toMatchObject({ code: 'ERR_VALUE_UNSUPPORTED' });
      expect(saves).toBe(0);
    });

    it('keeps no load that began before a write through, and makes later ones wait for it', async () => {
      const scope = fresh();
      let source = 'old';
      const loading = deferred();
      const reading = deferred();
      const slow = scope.getOrSet('v', async () => {
        const read = source;
        loading.resolve();
        await reading.promise;
        return read;
      });
      await loading.promise;
      const saving = deferred();
      const committing = deferred();
      const writing = scope.writeThrough('v', 'new', async (value) => {
        saving.resolve();
        await committing.promise;
        source = value;
      });
      await saving.promise;
      reading.resolve();
      expect(await slow).toBe('old');
      expect(await scope.get('v')).toBeUndefined();
      let loads = 0;
      const later = scope.getOrSet('v', () => `${source} ${++loads}`);
      await sleep(20);
      committing.resolve();
      expect(await later).toBe('new');
      expect(loads).toBe(0);
      expect(await writing).toMatchObject({ stored: true });
      expect(await scope.get('v')).toBe('new');
    });

    it('keeps neither value where a set or a clear falls into a write through', async () => {
      const scope = fresh();
      const set = await scope.writeThrough('v', 'new', () => scope.set('v', 'between'));
      expect(set).toEqual({ saved: true, stored: false, confirmed: true });
      expect(await scope.get('v')).toBeUndefined();
      expect(await scope.writeThrough('v', 'new', () => scope.clear())).toMatchObject({ stored: false });
      expect(await scope.get('v')).toBeUndefined();
    });

    it('leaves no entry where two writes through overlap, since their order in the source is unknown', async () => {
      const scope = fresh();
      const [begun, first, second] = [deferred(), deferred(), deferred()];
      const writingOne = scope.writeThrough('v', 'one', () => (begun.resolve(), first.promise));
      await begun.promise;
      const writingTwo = scope.writeThrough('v', 'two', () => (first.resolve(), second.promise));
      expect(await writingOne).toMatchObject({ stored: false, confirmed: true });
      second.resolve();
      expect(await writingTwo).toMatchObject({ stored: false, confirmed: true });
      expect(await scope.get('v')).toBeUndefined();
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

    it('clears a scope and nothing else, and can be written again', async () => {
      const [one, two] = [fresh(), fresh()];
      await one.setMany([
        ['a', 1],
        ['b', 2],
      ]);
      await two.set('a', 3);
      await tiers.global.set('cleared', 4);
      expect(await one.clear()).toBe(true);
      expect(await one.getMany(['a', 'b'])).toEqual([undefined, undefined]);
      expect(await one.has('a')).toBe(false);
      expect(await one.ttl('a')).toBeUndefined();
      expect(await names(one)).toEqual([]);
      expect((await one.deleteByPattern('*', { dryRun: true })).deleted).toBe(0);
      expect(await two.get('a')).toBe(3);
      expect(await tiers.global.get('cleared')).toBe(4);
      await one.set('a', 5);
      expect(await one.get('a')).toBe(5);
      expect(await names(one)).toEqual(['a']);
    });

    it('clears the global tier without touching scopes', async () => {
      const scope = fresh();
      await scope.set('a', 1);
      await tiers.global.setMany([
        ['g:1', 1],
        ['g:2', 2],
      ]);
      expect(await tiers.global.clear()).toBe(true);
      expect(await tiers.global.getMany(['g:1', 'g:2'])).toEqual([undefined, undefined]);
      expect(await names(tiers.global, 'g:*')).toEqual([]);
      expect(await scope.get('a')).toBe(1);
      await tiers.global.set('g:1', 3);
      expect(await tiers.global.get('g:1')).toBe(3);
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
      expect(await names(one)).toEqual(['other']);
      expect(await one.get('file:1')).toBeUndefined();
      expect((await names(two)).toSorted()).toEqual(keys.toSorted());
      expect(await one.deleteByPattern('*:{*')).toEqual({ deleted: 0, confirmed: true });
      await expect(one.deleteByPattern('')).rejects.toMatchObject({ code: 'ERR_PATTERN_INVALID' });
    });

    it('deletes by pattern in the global tier without touching scopes or counters of its own', async () => {
      const scope = fresh();
      await scope.set('model:x', 1);
      await tiers.global.setMany([
        ['model:gpt:1', 1],
        ['model:gpt:2', 2],
        ['model:other', 3],
      ]);
      expect(await tiers.global.deleteByPattern('model:gpt:*')).toEqual({ deleted: 2, confirmed: true });
      expect(await tiers.global.get('model:other')).toBe(3);
      await tiers.global.deleteByPattern('*');
      expect(await tiers.global.get('model:other')).toBeUndefined();
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
        expect([key, one.peek(key), await one.has(key), await one.ttl(key)]).toEqual([
          key,
          undefined,
          false,
          undefined,
        ]);
      }
      expect((await names(one)).toSorted()).toEqual(['no tag', 'other tag']);
      expect(await two.getMany(keys)).toEqual([1, 2, 3, 4, 5, 6]);
    });

    it('ends tagged entries of all scopes and tiers at once', async () => {
      const scopes = [fresh(), fresh(), tiers.project('tagged'), tiers.global];
      for (const scope of scopes) {
        await scope.set('tagged:k', 1, { tags: ['everywhere'] });
        await scope.set('tagged:kept', 2, { tags: ['another'] });
      }
      for (const scope of scopes) expect(await scope.getMany(['tagged:k', 'tagged:kept'])).toEqual([1, 2]);
      expect(await tiers.invalidateTags(['everywhere'])).toBe(true);
      for (const scope of scopes) expect(await scope.getMany(['tagged:k', 'tagged:kept'])).toEqual([undefined, 2]);
      await tiers.global.set('tagged:k', 3, { tags: ['everywhere'] });
      await tiers.global.invalidateTags(['another']);
      expect(await tiers.global.getMany(['tagged:k', 'tagged:kept'])).toEqual([3, undefined]);
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

    it.each(['scope', 'everywhere'])(
      'does not store a load that brings a tag invalidated since (%s)',
      async (where) => {
        const scope = fresh();
        await scope.set('used before', 1, { tags: ['t'] });
        for (const tag of ['t', 'first used here', 't']) {
          const { loader, began, finish } = slowLoad('older');
          const older = scope.getOrSet('v', loader, { tags: [tag] });
          await began;
          await (where === 'scope' ? scope : tiers).invalidateTags([tag]);
          finish();
          expect(await older).toBe('older');
          expect(await scope.get('v')).toBeUndefined();
          expect(await scope.getOrSet('v', () => 'newer', { tags: [tag] })).toBe('newer');
          expect(await scope.get('v')).toBe('newer');
          await scope.delete('v');
        }
      },
    );

    it('takes tags from the loader, and does not store what they were invalidated for meanwhile', async () => {
      const scope = fresh();
      for (const where of [scope, tiers]) {
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
        ['everywhere', tiers],
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
      await tiers.invalidateTags(['org']);
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
        await expect(tiers.invalidateTags(tags as never)).rejects.toThrow(refused);
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
    stalenessConformance(() => fresh());

    it('peeks at the in-process level only', async () => {
      const scope = fresh();
      expect(scope.peek('v')).toBeUndefined();
      await scope.set('v', { a: 1 });
      await scope.get('v');
      expect(scope.peek('v')).toEqual(options.l1 === false ? undefined : { a: 1 });
      await scope.delete('v');
      expect(scope.peek('v')).toBeUndefined();
    });
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

async function names(scope: ReturnType<Tiers['session']>, pattern?: string): Promise<unknown[]> {
  const found = [];
  for await (const key of scope.keys(pattern)) found.push(key);
  return found;
}
