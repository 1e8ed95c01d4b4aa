import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { sharedRedis } from '../../../test/support/shared-redis.ts';
import { sleep } from '../../../test/support/sleep.ts';
import { cached, callKey, createTiers, invalidates, type Tiers } from '../src/index.ts';

describe.each<[string, () => string]>([
  ['memory', () => 'memory'],
  ['Redis', () => inject('redisUrl')],
])('on %s', (_, redis) => {
  let tiers: Tiers;
  let count = 0;
  const fresh = () => tiers.session(`s${count++}`);
  beforeAll(async () => {
    tiers = createTiers({ redis: redis(), prefix: `t${randomBytes(6).toString('hex')}:` });
    await tiers.ready();
  });
  afterAll(() => tiers.close());

  it('calls once for concurrent and later calls with the same arguments', async () => {
    const calls: string[] = [];
    const scope = fresh();
    const task = cached(async (id: string) => sleep(5, { id, n: calls.push(id) }), {
      scope,
      key: (id) => ['task', id],
      ttl: '5m',
    });
    expect(await Promise.all([task('a'), task('a'), task('b')])).toEqual([
      { id: 'a', n: 1 },
      { id: 'a', n: 1 },
      { id: 'b', n: 2 },
    ]);
    expect(await task('a')).toEqual({ id: 'a', n: 1 });
    expect(calls).toEqual(['a', 'b']);
    expect(task.key('a')).toEqual(['task', 'a']);
    expect(await scope.ttl('task:a')).toBeGreaterThan(290_000);
    expect(await task.invalidate('a')).toBe(true);
    expect(await task('a')).toEqual({ id: 'a', n: 3 });
  });

  it('makes a key of a prefix and a hash of the arguments', async () => {
    const scope = fresh();
    let calls = 0;
    const search = cached(async (query: { text: string; page?: number }) => `${query.text} ${++calls}`, {
      scope,
      prefix: 'search',
    });
    expect(await search({ text: 'x', page: 1 })).toBe('x 1');
    expect(await search({ page: 1, text: 'x' })).toBe('x 1');
    expect(await search({ text: 'x', page: 2 })).toBe('x 2');
    const { deleted } = await scope.deleteByPattern('search:*');
    expect(deleted).toBe(2);
    await expect(search({ text: (() => 1) as never })).rejects.toMatchObject({ code: 'ERR_KEY_INVALID' });
  });

  it('passes errors on and caches neither them nor undefined', async () => {
    let calls = 0;
    const flaky = cached(
      async (): Promise<string | undefined> => {
        if (++calls === 1) throw new Error('down');
        return calls === 2 ? undefined : 'up';
      },
      { scope: fresh(), key: () => 'flaky' },
    );
    await expect(flaky()).rejects.toThrow('down');
    // Nobody calls again right after a failure.
    await expect(flaky()).rejects.toThrow('down');
    await flaky.invalidate();
    expect(await flaky()).toBeUndefined();
    expect(await flaky()).toBe('up');
    expect(await flaky()).toBe('up');
    expect(calls).toBe(3);
  });

  it('invalidates keys and patterns after the call, whether it succeeded or not', async () => {
    const scope = fresh();
    const fill = () => scope.setMany(['task:1', 'task:2', 'tasks:all', 'other'].map((key) => [key, 1] as const));
    await fill();
    let during: unknown;
    const update = invalidates(
      async (id: string, fails: boolean) => {
        during = await scope.get(['task', id]);
        if (fails) throw new Error('refused');
        return 'done';
      },
      { scope, keys: (id) => [['task', id]], patterns: ['tasks:*'] },
    );
    expect(await update('1', false)).toBe('done');
    expect(during).toBe(1);
    expect(await scope.getMany(['task:1', 'task:2', 'tasks:all', 'other'])).toEqual([undefined, 1, undefined, 1]);
    await fill();
    await expect(update('2', true)).rejects.toThrow('refused');
    expect(await scope.getMany(['task:1', 'task:2', 'tasks:all', 'other'])).toEqual([1, undefined, undefined, 1]);
  });

  it.each([
    ['key', { keys: [['task', '1'], ''] }, 'ERR_KEY_INVALID'],
    ['tag', { keys: [['task', '1']], tags: [''] }, 'ERR_CACHE_TAGS'],
    ['pattern', { keys: [['task', '1']], patterns: [''] }, 'ERR_PATTERN_INVALID'],
  ])('does not begin the call where it could not invalidate a %s', async (_, what, code) => {
    const scope = fresh();
    let called = false;
    const update = invalidates(async () => void (called = true), { scope, ...what });
    await expect(update()).rejects.toMatchObject({ code });
    expect(called).toBe(false);
  });

  it('invalidates what has a tag, which may depend on the arguments', async () => {
    const scope = fresh();
    let computed = 0;
    const report = cached(async (user: string) => `${user} ${++computed}`, {
      scope,
      prefix: 'report',
      tags: ['reports'],
    });
    const tasks = cached(async () => ++computed, { scope, key: () => 'tasks', tags: ['user:a', 'user:b'] });
    expect([await report('a'), await tasks()]).toEqual(['a 1', 2]);
    const finish = invalidates(async (user: string) => user, { scope, tags: (user) => ['reports', `user:${user}`] });
    expect(await finish('c')).toBe('c');
    expect([await report('a'), await tasks()]).toEqual(['a 3', 2]);
    await finish('b');
    expect([await report('a'), await tasks()]).toEqual(['a 4', 5]);
  });

  it('does not keep what a call computed before the invalidation', async () => {
    let source = 'old';
    let finish = () => {};
    let begun = () => {};
    const began = new Promise<void>((resolve) => (begun = resolve));
    const scope = fresh();
    const compute = async () => {
      const value = source;
      begun();
      if (value === 'old') await new Promise<void>((resolve) => (finish = resolve));
      return value;
    };
    const read = cached(compute, { scope, key: () => 'v' });
    const write = invalidates(async (value: string) => void (source = value), { scope, keys: [read.key()] });
    const slow = read();
    await began;
    await write('new');
    finish();
    expect(await slow).toBe('old');
    expect(await read()).toBe('new');
  });

  it('uses the global tier when none is named', async () => {
    const read = tiers.cached(async (n: number) => n + 1, { key: (n) => ['plus', n] });
    expect(await read(1)).toBe(2);
    expect(await tiers.global.get('plus:1')).toBe(2);
    await tiers.invalidates(async () => {}, { keys: ['plus:1'] })();
    expect(await tiers.global.get('plus:1')).toBeUndefined();
  });
});

it('drops on one instance what a call on another invalidated', async () => {
  const prefix = `t${randomBytes(6).toString('hex')}:`;
  const [one, two] = [0, 1].map(() => createTiers({ redis: sharedRedis(), prefix })) as [Tiers, Tiers];
  await Promise.all([one.ready(), two.ready()]);
  let source = 1;
  const read = two.cached(async () => source, { key: () => 'shared' });
  expect(await read()).toBe(1);
  await one.invalidates(async () => void (source = 2), { keys: ['shared'] })();
  await expect.poll(read, { interval: 1 }).toBe(2);
  await Promise.all([one.close(), two.close()]);
});

it.each<[string, unknown]>([
  ['scope', { key: () => 'k' }],
  ['key', { scope: {} }],
  ['key', { scope: {}, key: () => 'k', prefix: 'p' }],
  ['key', { scope: {}, prefix: '' }],
])('refuses cached without a valid %s', (option, options) => {
  const refusal = expect.objectContaining({ code: 'ERR_CACHE_OPTIONS', details: { option } });
  expect(() => cached(async () => 1, options as never)).toThrow(refusal);
  expect(() => cached(options as never)).toThrow(refusal);
});

it.each<[string, unknown]>([
  ['scope', { keys: ['k'] }],
  ['keys', { scope: {} }],
])('refuses invalidates without %s', (option, options) => {
  const refusal = expect.objectContaining({ code: 'ERR_CACHE_OPTIONS', details: { option } });
  expect(() => invalidates(async () => 1, options as never)).toThrow(refusal);
  expect(() => invalidates(options as never)).toThrow(refusal);
});

describe('callKey', () => {
  const value = fc.anything({
    withBigInt: true,
    withDate: true,
    withMap: true,
    withSet: true,
    withNullPrototype: true,
  });

  it('is equal for equal arguments in any order of properties', () => {
    fc.assert(
      fc.property(fc.array(value), fc.dictionary(fc.string(), fc.integer()), (args, record) => {
        const turned = Object.fromEntries(Object.entries(record).toReversed());
        expect(callKey('p', [...args, turned])).toBe(callKey('p', [...structuredClone(args), record]));
      }),
    );
  });

  it('differs for arguments that differ', () => {
    const different = [
      [],
      [null],
      [''],
      ['1'],
      [1],
      [1n],
      [-0],
      [0],
      [Number.NaN],
      [true],
      ['true'],
      [undefined, 1],
      [[1]],
      [[[1]]],
      ['1', '2'],
      ['1,2'],
      ['"1","2"'],
      [[1, 2]],
      [[1], 2],
      [{ a: 1 }],
      [{ a: '1' }],
      [{ a: { b: 1 } }],
      [{ 'a:b': 1 }],
      [new Date(1)],
      [new Set([1])],
      [new Map([[1, 2]])],
      [new Map([['1', 2]])],
      [new Uint8Array([1])],
      [new Uint16Array([1])],
      [new Uint8Array([1]).buffer],
      ['Date(1)'],
    ];
    const keys = different.map((args) => callKey('p', args));
    expect(new Set(keys).size).toBe(different.length);
    expect(callKey('q', [1])).not.toBe(callKey('p', [1]));
    expect(callKey('p', [1, undefined])).toBe(callKey('p', [1]));
  });

  it.each([[() => 1], [Symbol('s')], [new URL('redis://x')], [/x/], [new Error('x')]])('refuses %s', (argument) => {
    const refusal = expect.objectContaining({ code: 'ERR_KEY_INVALID', details: { argument: 2 } });
    expect(() => callKey('p', [1, { deep: [argument] }])).toThrow(refusal);
  });

  it('refuses a cycle, but not an object that comes twice', () => {
    const cycle: Record<string, unknown> = {};
    cycle['self'] = [cycle];
    expect(() => callKey('p', [cycle])).toThrow(expect.objectContaining({ code: 'ERR_KEY_INVALID' }));
    const twice = { a: 1 };
    expect(callKey('p', [twice, twice])).toBe(callKey('p', [{ a: 1 }, { a: 1 }]));
  });
});
