import { randomBytes } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { until } from '../../../test/servers/index.ts';
import { sharedRedis } from '../../../test/support/shared-redis.ts';
import { sleep } from '../../../test/support/sleep.ts';
import { createTiers, type LoaderContext, type Scope, type Tiers, type TiersOptions } from '../src/index.ts';

const open: Tiers[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((tiers) => tiers.close()));
});

const down = (): never => {
  throw new Error('down');
};

describe.each(['redis', 'memory'])('loads that several callers share, on %s', (backend) => {
  async function scopeOf(options: Partial<TiersOptions> = {}): Promise<Scope> {
    const redis = backend === 'memory' ? 'memory' : sharedRedis();
    const tiers = createTiers({ redis, prefix: `t${randomBytes(6).toString('hex')}:`, ...options });
    open.push(tiers);
    await tiers.ready();
    return tiers.session('s');
  }
  const withStale = async (value: unknown, options: Partial<TiersOptions> = {}): Promise<Scope> => {
    const scope = await scopeOf(options);
    await scope.set('k', value, { ttl: 40, grace: '1m' });
    await sleep(60);
    return scope;
  };

  it('answers with the fresh entry although a refresh of it failed a moment ago', async () => {
    const scope = await scopeOf({ l1: false });
    const options = { ttl: '20s', refreshAhead: 0.001 } as const;
    await scope.getOrSet('k', () => 'good', options);
    await sleep(60);
    let failed = 0;
    const failing = (): never => {
      failed++;
      return down();
    };
    await until('a refresh fails', async () => {
      expect(await scope.getOrSet('k', failing, options)).toBe('good');
      return failed > 0;
    });
    for (let n = 0; n < 5; n++) expect(await scope.getOrSet('k', failing, options)).toBe('good');
  });

  it.each([
    ['Map', () => new Map([['a', 1]]), (stale: unknown) => (stale as Map<string, number>).set('a', 2)],
    ['Buffer', () => Buffer.from('good'), (stale: unknown) => (stale as Buffer).fill(0)],
    ['Date', () => new Date(1_000), (stale: unknown) => (stale as Date).setTime(5)],
  ])('keeps a stale %s as it is, whatever a loader does with it', async (_kind, make, change) => {
    const spoil = ({ stale, notModified }: LoaderContext): unknown => {
      change(stale);
      return notModified();
    };
    const scope = await withStale(make());
    expect(await scope.getOrSet('k', spoil, { ttl: '1m', grace: '1m' })).toEqual(make());
    expect(await scope.get('k')).toEqual(make());
    const failing = await withStale(make());
    const spoilAndFail = ({ stale }: LoaderContext): never => {
      change(stale);
      return down();
    };
    expect(await failing.getOrSet('k', spoilAndFail, { grace: '1m' })).toEqual(make());
  });

  it('serves nothing stale after a set, by a load that was replaced when a tag was invalidated', async () => {
    const scope = await withStale('old');
    const options = { ttl: '1m', grace: '1m' } as const;
    let fail: (() => void) | undefined;
    const first = scope.getOrSet(
      'k',
      () => new Promise((_, reject) => (fail = () => reject(new Error('down')))),
      options,
    );
    await until('it loads', () => fail !== undefined);
    await scope.invalidateTags(['unrelated']);
    const second = scope.getOrSet('k', () => 'second', options);
    await sleep(20);
    expect(await scope.set('k', 'new')).toBe(true);
    fail?.();
    await expect(first).rejects.toThrow('down');
    await second;
    expect(await scope.get('k')).toBe('new');
  });

  it('counts the failure of a load that was replaced when a tag was invalidated', async () => {
    const scope = await scopeOf();
    let loads = 0;
    let fail = (): void => {};
    const failing = (): Promise<never> => {
      loads++;
      return new Promise((_, reject) => (fail = () => reject(new Error('down'))));
    };
    const first = scope.getOrSet('k', failing);
    await until('it loads', () => loads === 1);
    await scope.invalidateTags(['unrelated']);
    const second = scope.getOrSet('k', failing);
    await sleep(30);
    expect(loads).toBe(1);
    fail();
    const results = await Promise.allSettled([first, second]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(loads).toBe(1);
  });

  it('loads for those who would wait, though the one who came first would not, beyond maxBackground', async () => {
    const scope = await withStale('old', { load: { maxBackground: 1 } });
    await scope.set('busy', 'old', { ttl: 20, grace: '1m' });
    await sleep(40);
    const atOnce = { ttl: '1m', grace: '1m', softTimeout: 0 } as const;
    let end = (): void => {};
    await scope.getOrSet('busy', () => new Promise<void>((resolve) => (end = resolve)), atOnce);
    let loads = 0;
    const loader = (): string => {
      loads++;
      return 'new';
    };
    expect(await scope.getOrSet('k', loader, atOnce)).toBe('old');
    expect(loads).toBe(0);
    const answers = [{ grace: 0 }, { grace: '1m' }, { grace: '1m', softTimeout: '1m' }] as const;
    for (const options of answers) {
      const first = scope.getOrSet('k', loader, atOnce);
      expect(await scope.getOrSet('k', loader, { ttl: 40, ...options })).toBe('new');
      expect(['old', 'new']).toContain(await first);
      expect(loads).toBe(1);
      loads = 0;
      await scope.set('k', 'old', { ttl: 20, grace: '1m' });
      await sleep(40);
    }
    end();
  });

  it('returns what has too many tags together, says so, and does not store it', async () => {
    const warned: unknown[] = [];
    const log = (): void => {};
    const warn = (details: object): void => void warned.push(details);
    const scope = await scopeOf({ l1: false, logger: { debug: log, info: log, warn, error: log } });
    const tags = Array.from({ length: 64 }, (_, n) => `t${n}`);
    const loader = ({ value }: LoaderContext) => value('loaded', { tags: ['extra'] });
    expect(await scope.getOrSet('k', loader, { tags })).toBe('loaded');
    expect(warned).toEqual([{ tier: 'session', tags: 65, code: 'ERR_CACHE_TAGS' }]);
    expect(await scope.get('k')).toBeUndefined();
    // Those of all who share a load count.
    const slow = async (): Promise<string> => {
      await sleep(20);
      return 'shared';
    };
    const halves = [tags.slice(0, 40), [...tags.slice(40), ...Array.from({ length: 20 }, (_, n) => `u${n}`)]];
    const shared = await Promise.all(halves.map(async (half) => scope.getOrSet('j', slow, { tags: half })));
    expect(shared).toEqual(['shared', 'shared']);
    expect(warned).toHaveLength(2);
    expect(await scope.get('j')).toBeUndefined();
    // The lease is free, and no more than 64 are stored.
    expect(await scope.getOrSet('k', () => 'again', { tags })).toBe('again');
    expect(await scope.get('k')).toBe('again');
    expect(warned).toHaveLength(2);
  });
});
