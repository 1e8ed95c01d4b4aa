import { describe, expect, it } from 'vitest';
import { until } from '../../../../test/servers/index.ts';
import { sleep } from '../../../../test/support/sleep.ts';
import type { LoaderContext, Scope } from '../../src/index.ts';
import { within } from '../support/within.ts';

/** What every backend promises of values that are stale, slow, absent or failing. */
export function stalenessConformance(fresh: () => Scope): void {
  const down = (): never => {
    throw new Error('down');
  };
  /** A scope whose `k` holds 'old', which has just become stale. */
  const withStale = async (grace = '1m'): Promise<Scope> => {
    const scope = fresh();
    await scope.set('k', 'old', { ttl: 40, grace });
    await sleep(50);
    return scope;
  };

  describe('staleness', () => {
    it('loads a stale entry anew, and takes it for a miss elsewhere', async () => {
      const scope = await withStale();
      expect(await scope.get('k')).toBeUndefined();
      expect(await scope.getMany(['k'])).toEqual([undefined]);
      expect(await scope.has('k')).toBe(false);
      expect(await scope.ttl('k')).toBeUndefined();
      expect((await scope.deleteByPattern('*', { dryRun: true })).deleted).toBe(1);
      for await (const key of scope.keys()) expect(key).toBe('never');
      expect(await scope.getOrSet('k', () => 'new', { grace: '1m' })).toBe('new');
      expect(await scope.get('k')).toBe('new');
      expect(await scope.has('k')).toBe(true);
    });

    it('serves the stale value when the loader fails, within the grace that the call allows', async () => {
      const scope = await withStale();
      await expect(scope.getOrSet('k', down)).rejects.toThrow('down');
      expect(await scope.getOrSet('k', down, { grace: '1m' })).toBe('old');
      expect(await (await withStale()).getOrSet('k', down, { grace: '1m' })).toBe('old');
      await expect((await withStale()).getOrSet('k', down, { grace: 1 })).rejects.toThrow('down');
    });

    it('serves nothing once the grace is over', async () => {
      const scope = await withStale('30ms');
      await sleep(40);
      await expect(scope.getOrSet('k', down, { grace: '1m' })).rejects.toThrow('down');
    });

    it.each(['set', 'delete', 'clear', 'deleteByPattern'])('serves nothing stale after a %s', async (change) => {
      const scope = await withStale();
      if (change === 'set') await scope.set('k', 'other', { ttl: 10 });
      else if (change === 'delete') await scope.delete('k');
      else if (change === 'clear') await scope.clear();
      else await scope.deleteByPattern('k*');
      await sleep(15);
      await expect(scope.getOrSet('k', down, { grace: '1m' })).rejects.toThrow('down');
    });

    it('serves nothing stale to those who wait while the key is deleted', async () => {
      const scope = await withStale();
      const loading = scope.getOrSet('k', async () => (await sleep(40), down()), { grace: '1m' });
      const [answer] = await Promise.allSettled([loading, sleep(15).then(() => scope.delete('k'))]);
      expect(answer).toMatchObject({ status: 'rejected', reason: { message: 'down' } });
    });

    it('serves the stale value when the loader is slow, and keeps what it loads', async () => {
      const scope = await withStale();
      const slow = async (): Promise<string> => (await sleep(150), 'new');
      expect(await scope.getOrSet('k', slow, { grace: '1m', softTimeout: 20 })).toBe('old');
      await until('what it loaded is kept', async () => (await scope.get('k')) === 'new');
    });

    it('serves the stale value at once while it is revalidated, once for all', async () => {
      const scope = await withStale();
      let loads = 0;
      const slow = async (): Promise<string> => (await sleep(30), `new ${++loads}`);
      const options = { grace: '1m', softTimeout: 0 } as const;
      const answers = await Promise.all([1, 2, 3].map(() => scope.getOrSet('k', slow, options)));
      expect(answers).toEqual(['old', 'old', 'old']);
      await until('it is revalidated', async () => (await scope.get('k')) !== undefined);
      expect(await scope.getOrSet('k', slow, options)).toBe('new 1');
      expect(loads).toBe(1);
    });

    it('waits for a slow loader where nothing stale is there', async () => {
      const slow = async (): Promise<string> => (await sleep(40), 'new');
      expect(await fresh().getOrSet('k', slow, { grace: '1m', softTimeout: 5 })).toBe('new');
    });

    it('gives up a loader at the hard timeout, and drops what it makes later', async () => {
      const scope = fresh();
      let aborted = false;
      const hanging = async ({ signal }: LoaderContext): Promise<string> => {
        signal.addEventListener('abort', () => (aborted = true));
        await sleep(60);
        return 'late';
      };
      await expect(scope.getOrSet('k', hanging, { hardTimeout: 20 })).rejects.toMatchObject({
        code: 'ERR_CACHE_LOAD_TIMEOUT',
      });
      expect(aborted).toBe(true);
      await sleep(60);
      expect(await scope.get('k')).toBeUndefined();
      const stale = await withStale();
      expect(await stale.getOrSet('k', hanging, { hardTimeout: 20, grace: '1m' })).toBe('old');
    });

    it('loads ahead of time in the background, and answers with what is there', async () => {
      const scope = fresh();
      let loads = 0;
      const loader = async (): Promise<number> => (await sleep(10), ++loads);
      const options = { ttl: 1_200, refreshAhead: 0.2 };
      expect(await scope.getOrSet('k', loader, options)).toBe(1);
      expect(await scope.getOrSet('k', loader, options)).toBe(1);
      expect(loads).toBe(1);
      await sleep(250);
      const answers = await Promise.all([1, 2, 3].map(() => scope.getOrSet('k', loader, options)));
      expect(new Set(answers)).toEqual(new Set([1]));
      await until('it is refreshed', async () => (await scope.get('k')) === 2);
      expect(loads).toBe(2);
    });

    it('drops a refresh when the key was written meanwhile', async () => {
      const scope = fresh();
      const options = { ttl: 1_000, refreshAhead: 0.05 };
      const slow = async (): Promise<string> => (await sleep(60), 'refreshed');
      await scope.getOrSet('k', () => 'first', options);
      await sleep(60);
      expect(await scope.getOrSet('k', slow, options)).toBe('first');
      await scope.set('k', 'written');
      await sleep(100);
      expect(await scope.get('k')).toBe('written');
    });

    it('remembers that there is nothing, for a time of its own', async () => {
      const scope = fresh();
      let loads = 0;
      const loader = (context: LoaderContext): unknown => (loads++, context.absent());
      for (let call = 0; call < 3; call++) {
        expect(await scope.getOrSet('k', loader, { negativeTtl: '1m' })).toBeUndefined();
        expect(await scope.get('k')).toBeUndefined();
      }
      expect(loads).toBe(1);
      expect(await scope.has('k')).toBe(false);
      expect(await scope.ttl('k')).toBeUndefined();
      for await (const key of scope.keys()) expect(key).toBe('never');
      await scope.getOrSet('a moment', loader, { negativeTtl: 40 });
      await sleep(50);
      expect(await scope.getOrSet('a moment', () => 'there')).toBe('there');
      await scope.getOrSet('gone', (context) => context.absent());
      await scope.set('gone', 'back');
      expect(await scope.get('gone')).toBe('back');
    });

    it('takes the time to live from the loader; with 0 it does not store', async () => {
      const scope = fresh();
      expect(await scope.getOrSet('k', (context) => context.value({ a: 1 }, { ttl: '1m' }))).toEqual({ a: 1 });
      expect(await scope.ttl('k')).toBeGreaterThan(59_000);
      expect(await scope.ttl('k')).toBeLessThanOrEqual(60_000);
      for (const ttl of [0, '0s']) {
        expect(await scope.getOrSet('never', (context) => context.value(2, { ttl }))).toBe(2);
        expect(await scope.has('never')).toBe(false);
      }
      await expect(scope.getOrSet('bad', (context) => context.value(3, { ttl: '5' }))).rejects.toMatchObject({
        code: 'ERR_DURATION_INVALID',
      });
    });

    it('shows the stale value to the loader, which may say that it is still right', async () => {
      const scope = fresh();
      await scope.set('k', { etag: 'x' }, { ttl: 40, grace: '1m' });
      await sleep(50);
      const seen: unknown[] = [];
      const loader = (context: LoaderContext<{ etag: string }>) => {
        seen.push(context.stale?.etag);
        return context.notModified({ ttl: '2m' });
      };
      expect(await scope.getOrSet('k', loader)).toEqual({ etag: 'x' });
      expect(seen).toEqual(['x']);
      expect(await scope.get('k')).toEqual({ etag: 'x' });
      expect(await scope.ttl('k')).toBeGreaterThan(110_000);
      await expect(scope.getOrSet('none', loader)).rejects.toMatchObject({ code: 'ERR_CACHE_NOTHING_STALE' });
    });

    it('loads nothing for a while after a failure, and gives its error to whoever asks', async () => {
      const scope = fresh();
      let loads = 0;
      const failing = (): never => {
        loads++;
        throw new RangeError('down');
      };
      const asked = async (key: string): Promise<number> => {
        loads = 0;
        for (let call = 0; call < 3; call++) await expect(scope.getOrSet(key, failing)).rejects.toThrow(RangeError);
        return loads;
      };
      const [key, first] = await within(100, async (round) => [`k${round}`, await asked(`k${round}`)] as const);
      expect(first).toBe(1);
      await sleep(120);
      await expect(scope.getOrSet(key, failing)).rejects.toThrow('down');
      expect(loads).toBe(2);
      await sleep(220);
      expect(await scope.getOrSet(key, () => 'up')).toBe('up');
    });

    it('forgets a failure once the key is changed', async () => {
      const scope = fresh();
      await expect(scope.getOrSet('k', down)).rejects.toThrow('down');
      await scope.delete('k');
      expect(await scope.getOrSet('k', () => 'up')).toBe('up');
    });

    it('takes up to a part off the time to live', async () => {
      const scope = fresh();
      const ttls = new Set<number>();
      for (let n = 0; n < 8; n++) {
        await scope.getOrSet(`k${n}`, () => n, { ttl: '1h', jitter: 0.5 });
        ttls.add(Math.round((await scope.ttl(`k${n}`)) ?? 0));
      }
      expect(ttls.size).toBeGreaterThan(1);
      for (const ttl of ttls) expect(ttl).toBeGreaterThan(1_799_000);
      for (const ttl of ttls) expect(ttl).toBeLessThanOrEqual(3_600_000);
    });

    it.each([
      [{ refreshAhead: 1 }, 'ERR_CACHE_OPTIONS'],
      [{ refreshAhead: 0 }, 'ERR_CACHE_OPTIONS'],
      [{ jitter: 1.5 }, 'ERR_CACHE_OPTIONS'],
      [{ jitter: Number.NaN }, 'ERR_CACHE_OPTIONS'],
      [{ grace: -1 }, 'ERR_DURATION_INVALID'],
      [{ softTimeout: 'soon' }, 'ERR_DURATION_INVALID'],
      [{ hardTimeout: 0 }, 'ERR_DURATION_INVALID'],
      [{ negativeTtl: 0 }, 'ERR_DURATION_INVALID'],
      [{ redisTimeout: 0 }, 'ERR_DURATION_INVALID'],
    ])('refuses %o', async (options, code) => {
      await expect(fresh().getOrSet('k', () => 1, options)).rejects.toMatchObject({ code });
    });
  });
}
