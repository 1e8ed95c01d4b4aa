import { createManualClock } from '@tierkit/core/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTiers, type Tiers } from '../src/index.ts';
import { WeighedKeys } from '../src/usage/weighed-keys.ts';

const MINUTE_MS = 60_000;
let clock = createManualClock();
let tiers: Tiers;

beforeEach(() => {
  clock = createManualClock();
  tiers = createTiers({
    redis: 'memory',
    prefix: 'u:',
    clock,
    l1: { maxEntries: 50 },
    tiers: { global: { ttl: '30m' } },
  });
});
afterEach(() => tiers.close());

/** A loader that takes so long by the tests' clock. */
const slow = (ms: number, value: unknown) => async (): Promise<unknown> => {
  clock.advance(ms);
  if (value instanceof Error) throw value;
  return value;
};

describe('usage of keys', () => {
  it('tells what costs most to load, by the time of all loads', async () => {
    await tiers.project('p').getOrSet('slow', slow(500, 1));
    for (const key of ['often:1', 'often:2']) {
      for (let load = 0; load < 4; load++) {
        await tiers.global.getOrSet(key, slow(key === 'often:1' ? 200 : 20, 1));
        await tiers.global.delete(key);
      }
    }
    await tiers.global.getOrSet('failing', slow(90, new Error('no'))).catch(() => {});
    const { costly } = tiers.inspection.usage();
    expect(costly).toEqual([
      { key: 'u:often:1', tier: 'global', loads: 4, failures: 0, totalMs: 800, longestMs: 200 },
      { key: 'u:project:{p}:slow', tier: 'project', loads: 1, failures: 0, totalMs: 500, longestMs: 500 },
      { key: 'u:failing', tier: 'global', loads: 1, failures: 1, totalMs: 90, longestMs: 90 },
      { key: 'u:often:2', tier: 'global', loads: 4, failures: 0, totalMs: 80, longestMs: 20 },
    ]);
    expect(tiers.stats().tiers['global']?.loadMs).toBe(970);
    expect(tiers.inspection.usage({ limit: 1 }).costly).toHaveLength(1);
  });

  it('tells what is kept and never asked for, until it is', async () => {
    const churn = async (): Promise<void> => {
      for (let index = 0; index < 50; index++) await tiers.global.set(`other:${index}`, 1);
      for (let index = 0; index < 50; index++) await tiers.global.get(`other:${index}`);
    };
    for (let round = 0; round < 3; round++) {
      await tiers.global.set('unread', 'x'.repeat(100));
      await tiers.global.set('read', 1);
      await tiers.global.get('read');
      await tiers.global.set('peeked', 1);
      tiers.global.peek('peeked');
      await tiers.global.set('a b', 1);
      await tiers.global.getMany(['a b']);
      await churn();
    }
    expect(tiers.inspection.usage().unread).toEqual([
      { key: 'u:unread', tier: 'global', times: 3, bytes: expect.any(Number) },
    ]);
    expect(tiers.inspection.usage().unread[0]?.bytes).toBeGreaterThan(100);
    await tiers.global.set('unread', 1);
    await tiers.global.get('unread');
    await churn();
    expect(tiers.inspection.usage().unread).toEqual([]);
  });

  it('forgets by and by', async () => {
    await tiers.global.getOrSet('old', slow(1_000, 1));
    clock.advance(60 * MINUTE_MS);
    await tiers.global.getOrSet('new', slow(500, 1));
    expect(tiers.inspection.usage().costly.map(({ key }) => key)).toEqual(['u:new', 'u:old']);
    clock.advance(24 * 60 * MINUTE_MS);
    expect(tiers.inspection.usage().costly).toEqual([]);
  });

  it('refuses a limit that is none', () => {
    for (const limit of [0, 201, 1.5]) {
      expect(() => tiers.inspection.usage({ limit })).toThrow(expect.objectContaining({ code: 'ERR_CACHE_OPTIONS' }));
    }
  });
});

describe('what was counted minute by minute', () => {
  const seriesOf = (tier: string, name?: string) =>
    tiers.inspection.history().series.find((one) => one.tier === tier && one.name === name)?.minutes;

  it('is told of each tier and name', async () => {
    const files = tiers.global.countedAs('files');
    await files.getOrSet('a', slow(5, 1));
    await files.get('a');
    await tiers.global.get('b');
    clock.advance(MINUTE_MS);
    await files.get('a');
    await tiers.session('s').get('c');
    clock.advance(2 * MINUTE_MS);
    const nothing = { hits: 0, misses: 0, loads: 0, loadMs: 0 };
    expect(seriesOf('global', 'files')).toEqual([
      { hits: 1, misses: 1, loads: 1, loadMs: 5 },
      { ...nothing, hits: 1 },
      nothing,
    ]);
    expect(seriesOf('global')).toEqual([{ hits: 1, misses: 2, loads: 1, loadMs: 5 }, { ...nothing, hits: 1 }, nothing]);
    expect(seriesOf('session')).toEqual([nothing, { ...nothing, misses: 1 }, nothing]);
    expect(tiers.inspection.history().untilMs).toBe(3 * MINUTE_MS);
  });

  it('is kept for an hour', async () => {
    await tiers.global.get('a');
    clock.advance(MINUTE_MS);
    expect(seriesOf('global')).toHaveLength(1);
    clock.advance(59 * MINUTE_MS);
    expect(seriesOf('global')?.[0]?.misses).toBe(1);
    clock.advance(MINUTE_MS);
    expect(seriesOf('global')).toHaveLength(60);
    expect(seriesOf('global')?.every(({ misses }) => misses === 0)).toBe(true);
  });

  it('is bounded in names', async () => {
    for (let index = 0; index < 900; index++) await tiers.global.countedAs(`n${index}`).get('a');
    clock.advance(MINUTE_MS);
    expect(tiers.inspection.history().series).toHaveLength(500);
  });

  it('ends with the cache', async () => {
    await tiers.close();
    clock.advance(MINUTE_MS);
    expect(tiers.inspection.history().series).toEqual([]);
  });
});

describe('a table of weighed keys', () => {
  it('finds what is heavy among very many, however they come', () => {
    const table = new WeighedKeys<{ n: number }>();
    for (let index = 0; index < 20_000; index++) {
      table.add(`light:${index}`, 1, () => ({ n: index }));
      // 1 in 50 of all: above the one part in 200 that is found for certain.
      if (index % 50 === 0) for (const heavy of ['a', 'b']) table.add(heavy, 1.5, () => ({ n: -1 }));
    }
    expect(
      table
        .top(2)
        .map(({ key }) => key)
        .sort(),
    ).toEqual(['a', 'b']);
    expect(table.top(1_000).length).toBeLessThanOrEqual(200);
  });

  it('finds one that is heavy at once', () => {
    const table = new WeighedKeys<object>();
    for (let index = 0; index < 1_000; index++) table.add(`light:${index}`, 1, () => ({}));
    table.add('heavy', 1_000, () => ({}));
    expect(table.top(1)[0]?.key).toBe('heavy');
  });
});
