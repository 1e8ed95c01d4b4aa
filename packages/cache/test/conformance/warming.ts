import { expect, it } from 'vitest';
import { until } from '../../../../test/servers/index.ts';
import { sleep } from '../../../../test/support/sleep.ts';
import type { LoaderContext } from '../../src/index.ts';
import type { Subject } from './subject.ts';

/** What every backend promises of warming and scheduled tasks. */
export function warmingConformance({ fresh, tiers, another }: Subject): void {
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
    const other = await another();
    const ending = other.session('s').warm(pairs('closing'));
    await until('the first entry is there', () => other.session('s').has('closing 1'));
    await other.close();
    expect(await ending).toEqual({ ...counts, loaded: 1 });
    expect(await scope.warm(pairs('late'), { signal: stop.signal })).toEqual({ ...counts, loaded: 0 });
  });

  it('runs a scheduled task at once and then at its interval, until it is stopped', async () => {
    const times: number[] = [];
    const schedule = tiers().schedule('task', { every: '60ms' }, () => void times.push(performance.now()));
    await until('it ran three times', () => times.length >= 3);
    schedule.stop();
    const ran = times.length;
    for (let run = 1; run < ran; run++) expect((times[run] ?? 0) - (times[run - 1] ?? 0)).toBeGreaterThan(40);
    await sleep(150);
    expect(times).toHaveLength(ran);
    expect(() => tiers().schedule('x', { every: 0 }, () => {})).toThrow(
      expect.objectContaining({ code: 'ERR_DURATION_INVALID' }),
    );
  });
}
