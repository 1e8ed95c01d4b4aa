import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { sleep } from '../../../../test/support/sleep.ts';
import type { Scope } from '../../src/index.ts';

/** What definitions promise on every backend: one test for each sentence that a user can rely on. */
export function definitionConformance(fresh: () => Scope): void {
  describe('define', () => {
    const loads: string[] = [];
    const load = async (id: string): Promise<{ name: string; age: number }> => {
      loads.push(id);
      await sleep(5);
      return { name: id, age: 7 };
    };
    const key = (id: string): readonly string[] => ['user', id];

    it('loads once for concurrent callers, under the key and with the time to live that were said', async () => {
      const scope = fresh();
      const user = scope.define({ name: 'user', key, load, ttl: '1m' });
      loads.length = 0;
      const answers = await Promise.all([user.get('1'), user.get('1'), user.get('1')]);
      expect(answers).toEqual(answers.map(() => ({ name: '1', age: 7 })));
      expect(await user.get('1')).toEqual({ name: '1', age: 7 });
      expect(loads).toEqual(['1']);
      expect(await scope.get('user:1')).toEqual({ name: '1', age: 7 });
      expect(await scope.ttl(user.key('1'))).toBeLessThanOrEqual(60_000);
    });

    it('gets, sets, invalidates and loads again by id', async () => {
      const scope = fresh();
      const user = scope.define({ name: 'user', key, load, ttl: '1m' });
      loads.length = 0;
      expect(await user.set('1', { name: 'set', age: 1 })).toBe(true);
      expect(await scope.ttl(user.key('1'))).toBeLessThanOrEqual(60_000);
      expect(await user.getMany(['1', '2', '1'])).toEqual([
        { name: 'set', age: 1 },
        { name: '2', age: 7 },
        { name: 'set', age: 1 },
      ]);
      expect(await user.delete('1')).toBe(true);
      expect(await user.invalidate(['2', '3'])).toBe(true);
      expect(await scope.getMany([key('1'), key('2')])).toEqual([undefined, undefined]);
      await user.set('1', { name: 'set', age: 1 });
      expect(await user.refresh('1')).toEqual({ name: '1', age: 7 });
      expect(loads).toEqual(['2', '1']);
    });

    it('does not store what a loader knows nothing of', async () => {
      const scope = fresh();
      const none = scope.define({ name: 'none', key, load: async (): Promise<string | undefined> => undefined });
      expect(await none.get('1')).toBeUndefined();
      expect(await scope.has(none.key('1'))).toBe(false);
    });

    it('loads what is missing of many by one call, and single ones where there is no other loader', async () => {
      const scope = fresh();
      const calls: (readonly string[])[] = [];
      const schema = z.object({ n: z.number() });
      const numbers = scope.define({
        name: 'number',
        key: (id: string) => ['number', id],
        schema,
        loadMany: async (ids: readonly string[]) => {
          calls.push(ids);
          return ids.map((id) => {
            if (id === 'none') return undefined;
            if (id === 'bad') return new Error('bad id');
            return id === 'odd' ? { n: 'odd' as never } : { n: id.length };
          });
        },
      });
      expect(await numbers.get('a')).toEqual({ n: 1 });
      await scope.set(numbers.key('old'), { v1: true });
      expect(await numbers.getMany(['bb', 'a', 'none', 'old', 'bb'])).toEqual([
        { n: 2 },
        { n: 1 },
        undefined,
        { n: 3 },
        { n: 2 },
      ]);
      expect(calls).toEqual([['a'], ['bb', 'none'], ['old']]);
      await expect(numbers.getMany(['a', 'bad', 'ccc'])).rejects.toThrow('bad id');
      await expect(numbers.get('bad')).rejects.toThrow('bad id');
      await expect(numbers.getMany(['odd'])).rejects.toMatchObject({ code: 'ERR_CACHE_SCHEMA' });
      expect(await scope.getMany(['number:ccc', 'number:odd'])).toEqual([{ n: 3 }, undefined]);
      await expect(scope.define({ name: 'short', key, loadMany: () => [] }).getMany(['1'])).rejects.toMatchObject({
        code: 'ERR_BATCH_RESULT',
      });
    });

    it('keeps for `negativeTtl` that there is none, also where several are loaded', async () => {
      const scope = fresh();
      const calls: (readonly string[])[] = [];
      const loadMany = (ids: readonly string[]) => {
        calls.push(ids);
        return ids.map((id) => (id === 'none' ? undefined : id));
      };
      const user = scope.define<string, string>({ name: 'user', key, negativeTtl: '1m', loadMany });
      for (let read = 0; read < 2; read++) expect(await user.getMany(['a', 'none'])).toEqual(['a', undefined]);
      expect(await user.get('none')).toBeUndefined();
      await user.delete('none');
      for (let read = 0; read < 2; read++) expect(await user.get('none')).toBeUndefined();
      expect(await user.getMany(['none'])).toEqual([undefined]);
      expect(calls).toEqual([['a', 'none'], ['none']]);
      const forgetful = scope.define<string, string>({ name: 'other', key: (id: string) => ['other', id], loadMany });
      for (let read = 0; read < 2; read++) expect(await forgetful.getMany(['none'])).toEqual([undefined]);
      expect(calls.length).toBe(4);
    });

    it('lets a loader answer by its context: absent, unchanged, or a value with a time to live of its own', async () => {
      const scope = fresh();
      const asked: unknown[] = [];
      const page = scope.define({
        name: 'page',
        key: (id: string) => ['page', id],
        schema: z.object({ etag: z.string() }),
        ttl: 40,
        grace: '1m',
        negativeTtl: '1m',
        load: async (id, ctx) => {
          asked.push(ctx.stale);
          if (id === 'none') return ctx.absent();
          if (id === 'wrong') return ctx.value({ etag: 7 as never });
          return ctx.stale === undefined ? ctx.value({ etag: 'v1' }, { ttl: 60 }) : ctx.notModified({ ttl: '1m' });
        },
      });
      expect([await page.get('none'), await page.get('none')]).toEqual([undefined, undefined]);
      expect(asked.splice(0)).toEqual([undefined]);
      expect(await page.get('1')).toEqual({ etag: 'v1' });
      expect((await scope.ttl(page.key('1'))) ?? 0).toBeLessThanOrEqual(60);
      await sleep(80);
      expect(await page.get('1')).toEqual({ etag: 'v1' });
      expect(asked).toEqual([undefined, { etag: 'v1' }]);
      expect(await scope.ttl(page.key('1'))).toBeGreaterThan(50_000);
      await expect(page.get('wrong')).rejects.toMatchObject({ code: 'ERR_CACHE_SCHEMA' });
    });

    it.each([
      ['zod', z.object({ name: z.string(), age: z.number().default(18) })],
      ['valibot', v.object({ name: v.string(), age: v.optional(v.number(), 18) })],
    ])('takes a cached value that %s refuses for a miss, and loads once', async (_, schema) => {
      const scope = fresh();
      const user = scope.define({ name: 'user', key, schema, load });
      loads.length = 0;
      await scope.set(key('1'), { name: 42 });
      const answers = await Promise.all([user.get('1'), user.get('1'), user.get('1')]);
      expect(answers).toEqual(answers.map(() => ({ name: '1', age: 7 })));
      expect(loads).toEqual(['1']);
      expect(await scope.get(key('1'))).toEqual({ name: '1', age: 7 });
      // Values that pass are handed out as the schema makes them, and stay in the cache as they are.
      await scope.set(key('2'), { name: 'Bo' });
      expect(await user.get('2')).toEqual({ name: 'Bo', age: 18 });
      expect(await user.getMany(['2'])).toEqual([{ name: 'Bo', age: 18 }]);
      expect(await scope.get(key('2'))).toEqual({ name: 'Bo' });
    });

    it('waits for the loader, or passes its error on, where the schema refuses what is stale', async () => {
      const scope = fresh();
      const old = { ttl: 30, grace: '1m' } as const;
      await scope.setMany(
        ['1', '2', '3', '4', '5'].map((id) => [key(id), { name: 1 }] as const),
        old,
      );
      await sleep(60);
      const policy = { key, schema: z.object({ name: z.string() }), ttl: '1m', grace: '1m' } as const;
      const slow = async (id: string) => (loads.push(id), sleep(40, { name: id }));
      const user = scope.define({ ...policy, name: 'user', softTimeout: 0, load: slow });
      loads.length = 0;
      expect(await Promise.all([user.get('1'), user.get('1')])).toEqual([{ name: '1' }, { name: '1' }]);
      expect(loads).toEqual(['1']);
      const down = async (): Promise<never> => {
        throw new Error('down');
      };
      await expect(scope.define({ ...policy, name: 'user', load: down }).get('2')).rejects.toThrow('down');
      const many = scope.define({
        ...policy,
        name: 'user',
        softTimeout: 0,
        loadMany: async (ids: readonly string[]) => (
          loads.push(ids.join()),
          sleep(
            40,
            ids.map((name) => ({ name })),
          )
        ),
      });
      expect(await many.getMany(['3', '4'])).toEqual([{ name: '3' }, { name: '4' }]);
      expect(loads).toEqual(['1', '3,4']);
      await expect(scope.define({ ...policy, name: 'user', loadMany: down }).getMany(['5'])).rejects.toThrow('down');
    });

    it('loads many that the schema refuses by one call for all callers, and keeps them for their grace', async () => {
      const scope = fresh();
      const ids = Array.from({ length: 30 }, (_, n) => String(n));
      await scope.setMany(ids.map((id) => [key(id), { name: 1 }] as const));
      const calls: number[] = [];
      const user = scope.define({
        name: 'user',
        key,
        schema: z.object({ name: z.string() }),
        ttl: 300,
        grace: '1m',
        loadMany: async (missing: readonly string[]) => {
          calls.push(missing.length);
          await sleep(5);
          return missing.map((name) => (calls.length > 1 ? new Error('down') : { name }));
        },
      });
      const names = ids.map((name) => ({ name }));
      expect(await Promise.all([user.getMany(ids), user.getMany(ids)])).toEqual([names, names]);
      expect(calls).toEqual([30]);
      await sleep(350);
      expect(await user.getMany(ids)).toEqual(names);
      expect(calls).toEqual([30, 30]);
    });

    it('takes a cached value for a miss at which the schema throws', async () => {
      const scope = fresh();
      const schema = z.any().transform((value: { a: { b: string } }) => value.a.b.toUpperCase());
      const user = scope.define({ name: 'user', key, schema, load: () => ({ a: { b: 'ok' } }) });
      await scope.set(key('1'), {});
      expect(user.peek('1')).toBeUndefined();
      expect(await user.get('1')).toBe('OK');
    });

    it('gives what is set the tags of the definition beside its own', async () => {
      const scope = fresh();
      const user = scope.define<string, string>({ name: 'user', key, tags: ['users'] });
      for (const tag of ['users', 'org:7']) {
        await user.set('1', 'old', { tags: ['org:7'] });
        await scope.invalidateTags([tag]);
        expect(await user.get('1')).toBeUndefined();
      }
    });

    it('answers a refused value with undefined where there is no loader', async () => {
      const scope = fresh();
      const user = scope.define({ name: 'user', key, schema: z.object({ name: z.string() }) });
      await scope.set(key('1'), { name: 42 });
      expect(await user.get('1')).toBeUndefined();
      expect(user.peek('1')).toBeUndefined();
      expect(await user.getMany(['1'])).toEqual([undefined]);
      await expect(user.refresh('1')).rejects.toMatchObject({ code: 'ERR_CACHE_OPTIONS' });
    });

    it('neither stores nor returns what a schema refuses, and names the path but not the value', async () => {
      const scope = fresh();
      const schema = z.object({ card: z.object({ number: z.number() }) });
      const card = scope.define({ name: 'card', key, schema, load: () => ({ card: { number: 'secret' as never } }) });
      const error = await card.get('1').catch((error: unknown) => error);
      expect(error).toMatchObject({ code: 'ERR_CACHE_SCHEMA', details: { entry: 'card', paths: ['card.number'] } });
      expect(JSON.stringify(error)).not.toContain('secret');
      await expect(card.set('1', { card: { number: 'secret' as never } })).rejects.toMatchObject({
        code: 'ERR_CACHE_SCHEMA',
      });
      expect(await scope.has(card.key('1'))).toBe(false);
    });

    it('keeps callers apart whatever a schema makes', async () => {
      const shared = { list: [0] };
      const schema = v.pipe(
        v.object({ at: v.string() }),
        v.transform(({ at }) => ({ at: new Date(at), shared })),
      );
      const event = fresh().define({ name: 'event', key, schema, load: () => ({ at: '2026-01-01' }) });
      const first = await event.get('1');
      first?.at.setTime(0);
      expect(await event.get('1')).toEqual({ at: new Date('2026-01-01'), shared: { list: [0] } });
      expect(Object.isFrozen(shared)).toBe(false);
      expect(Object.isFrozen(shared.list)).toBe(false);
    });
  });
}
